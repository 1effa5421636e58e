import { basename } from 'node:path';
import { countCost, evaluate, readWeights, type TrainingOptions, writeWeights } from '@secateur/core';
import { continueEpochs } from '@secateur/data';
import { exportOnnx, measureLatency, verify } from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { count, percent, whole } from '../terminal/format.ts';
import { VERSION } from '../version.ts';
import { observe } from './batch-sources.ts';
import type { CheckpointWriter } from './checkpoints.ts';
import type { RunContext } from './context.ts';
import type { Dataset } from './dataset.ts';
import type { Engine } from './engine.ts';
import { writeFileAtomically } from './files.ts';
import { firstImages, type ImageSources } from './image-sources.ts';
import { countFilters, layersWithFilters } from './layer-filters.ts';
import { trainingDataFor } from './model-data.ts';
import { type History, historyOf } from './onnx-history.ts';
import { pruneAndTune, showPass } from './prune-and-tune.ts';
import { pruningOptions } from './pruning-options.ts';
import type { RunConfig } from './run-config.ts';
import { RunForecast } from './run-forecast.ts';
import type { RunMaterial } from './run-material.ts';
import type { WorkState } from './run-state.ts';
import { specialistOf } from './specialist.ts';
import { networkReport, type Summary, summarize } from './summary.ts';
import { trainNetwork } from './train-network.ts';

const VERIFIED_IMAGES = 1000;
const LATENCY_RUNS = 50;

export interface RunSurroundings {
  readonly engine: Engine;
  readonly checkpoints: CheckpointWriter<WorkState>;
  /** What to go on from. */
  readonly resume?: WorkState | undefined;
}

/**
 * The main job: from images in memory to a verified ONNX file of the pruned network, and all that is known about it. Going
 * on from the state of any of its checkpoints gives the same network, bit for bit.
 */
export async function executeRun(
  config: RunConfig,
  {
    dataset,
    images: allImages,
    kept,
    keptImages: images,
    network: trained,
    engine,
    checkpoints,
    resume,
    ...surroundings
  }: RunContext & RunMaterial & RunSurroundings,
): Promise<Summary> {
  const { directory, terminal, stopwatch, signal, startedAt } = surroundings;
  const { classNames } = kept.train;
  const { skipped = [] } = dataset.folder ?? {};
  try {
    const numbered = (images: ImageSources, epoch = 0) =>
      continueEpochs(observe(images.training, { signal }), { epoch });
    const training = numbered(allImages, resume?.epoch);
    describeData(dataset, allImages, surroundings);
    const given = config.model !== null;
    const network = config.model === null ? config.network : basename(config.model);
    const trainedCost = countCost(trained);
    terminal.step(
      'Network',
      `${given ? network : `${network}, width ${config.width}`}: ${count(trainedCost.parameters)} parameters, ${count(trainedCost.macs)} MACs`,
    );
    const forecast = new RunForecast(config, {
      images: {
        ...sizesOf(images),
        training: allImages.training.size,
        tuning: images.training.size,
        verified: Math.min(VERIFIED_IMAGES, images.test.size),
      },
      unpruned: trainedCost,
      iterations: resume?.iterations,
    });
    const context = { ...surroundings, forecast };
    const objective = { objective: config.objective, precision: config.precision };
    if (resume?.trained) {
      writeWeights(trained, resume.trained);
    } else if (!given || config.trainModel) {
      const progress: Pick<TrainingOptions, 'checkpoint' | 'resume'> = {
        resume: resume?.training,
        checkpoint: (capture, moment) =>
          checkpoints.offer(() => ({ epoch: training.epoch, training: capture() }), moment),
      };
      await stopwatch.time('training', () =>
        trainNetwork(trained, training, { ...config.training, ...objective, ...progress }, context),
      );
    }

    const unpruned = config.classes
      ? await specialistOf(trained, {
          classes: config.classes,
          ...trainingDataFor(dataset),
        })
      : trained;
    const unprunedCost = countCost(unpruned);
    if (config.classes) describeData(kept, images, context);
    const tuning = config.classes ? numbered(images, resume?.trained && resume.epoch) : training;
    const sources = { training: tuning, ...observed(images, context) };
    const { pruning, iterations: reported = [] } = resume ?? {};
    const { result, unprunedAccuracy, iterations } = await pruneAndTune(
      unpruned,
      sources,
      pruningOptions(config, engine),
      context,
      {
        resume: pruning && { pruning, iterations: reported },
        checkpoint: (capture, moment) =>
          checkpoints.offer(() => ({ epoch: tuning.epoch, trained: readWeights(trained), ...capture() }), moment),
      },
    );
    const pruned = result.model;
    await directory.saveModel('model', pruned);

    const tests = await stopwatch.time('test', async () => ({
      unpruned: await evaluate(unpruned, sources.test),
      pruned: await evaluate(pruned, sources.test),
    }));
    terminal.step(
      'Test',
      `accuracy ${percent(tests.unpruned.accuracy, 2)} unpruned, ${percent(tests.pruned.accuracy, 2)} pruned`,
    );

    const { onnx, verification } = await stopwatch.time('export', async () => {
      const describe = (model: LayersModel, history: History) =>
        exportOnnx(model, {
          ...history,
          classNames,
          ...dataset.statistics,
          inputScale: 1 / 255,
          metadata: {
            secateur: JSON.stringify({
              version: VERSION,
              network,
              width: given ? null : config.width,
              folderForm: dataset.folder?.form,
              seed: config.seed,
              macs: countCost(model).macs,
              macsUnpruned: unprunedCost.macs,
              iterations: model === pruned ? result.plans.length : 0,
            }),
          },
        });
      const onnx = {
        unpruned: await describe(unpruned, { accuracy: tests.unpruned.accuracy }),
        pruned: await describe(pruned, historyOf(iterations, tests.pruned)),
      };
      await writeFileAtomically(directory.file('unpruned.onnx'), onnx.unpruned);
      await writeFileAtomically(directory.file('model.onnx'), onnx.pruned);
      const sample = await firstImages(sources.test, VERIFIED_IMAGES);
      const verification = await verify(pruned, onnx.pruned, { ...sample, tolerance: config.goals.logitDifference });
      return { onnx, verification };
    });
    terminal.step('Verify', describeVerification(verification));
    const afterData = directory.elapsed / 1000;
    signal.throwIfAborted();

    const [unprunedLatency, prunedLatency] = await stopwatch.time('latency', () =>
      measureLatency([onnx.unpruned, onnx.pruned], {
        runs: LATENCY_RUNS,
        ...(engine.threads && { threads: engine.threads }),
      }),
    );
    const layers = layersWithFilters(unpruned, config.graph);
    const summary = summarize(
      {
        secateur: VERSION,
        startedAt,
        config,
        engine,
        data: { name: kept.name, images: sizesOf(images), ...(skipped.length > 0 && { skipped }) },
        unpruned: networkReport({
          cost: unprunedCost,
          filters: countFilters(unpruned, layers),
          validationAccuracy: unprunedAccuracy,
          test: tests.unpruned,
          latency: unprunedLatency!,
        }),
        pruned: networkReport({
          cost: result.cost,
          filters: countFilters(pruned, layers),
          validationAccuracy: result.evaluation.accuracy,
          test: tests.pruned,
          latency: prunedLatency!,
        }),
        iterations,
        endReason: result.reason,
        ...(result.violation && { violation: result.violation }),
        target: result.target!,
        verification,
        seconds: { ...stopwatch.seconds, afterData: Math.round(afterData * 100) / 100 },
      },
      { afterData },
    );
    directory.event({ type: 'completed', passed: summary.passed });
    // The last file: a run with a summary is complete.
    await directory.writeJson('summary.json', summary);
    await checkpoints.clear();
    return summary;
  } finally {
    await Promise.all([...new Set([images, allImages])].map((sources) => sources.close()));
  }
}

function describeData({ name }: Dataset, images: ImageSources, { terminal }: RunContext): void {
  const { training, validation, test } = sizesOf(images);
  terminal.step(
    'Data',
    `${name}: ${whole(training)} images for training, ${whole(validation)} for validation, ${whole(test)} for the test`,
  );
}

function sizesOf({ training, validation, scoring, test }: ImageSources) {
  return { training: training.size, validation: validation.size, scoring: scoring.size, test: test.size };
}

/** Validation, scoring and test images, stoppable and with a line of progress. */
function observed(images: ImageSources, context: RunContext) {
  const pass = (part: 'scoring' | 'validation' | 'test', label: string) =>
    observe(images[part], { signal: context.signal, onBatch: showPass(images[part], label, context) });
  return {
    scoring: pass('scoring', 'score filters'),
    validation: pass('validation', 'validate'),
    test: pass('test', 'test'),
  };
}

export function describeVerification(
  { images, predictions, maxAbsDifference, sameClass, ties, passed }: Awaited<ReturnType<typeof verify>>,
  numbers: 'logits' | 'probabilities' = 'logits',
): string {
  const all = predictions === images ? '' : ` of ${whole(predictions)} predictions`;
  const tied = ties > 0 ? ` (${ties} ties)` : '';
  const difference = numbers === 'logits' ? 'logit difference' : 'difference of a probability';
  return `ONNX file in onnxruntime ${passed ? 'agrees' : 'DISAGREES'} on ${whole(images)} images: largest ${difference} ${maxAbsDifference.toExponential(1)}, same class on ${whole(sameClass)}${all}${tied}`;
}
