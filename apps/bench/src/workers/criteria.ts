// Does one Task, given as JSON, and prints its record.
import { join } from 'node:path';
import { classAwarePruning, countCost, type PruningOptions, type PruningResult, train } from '@secateur/core';
import { vgg11 } from '@secateur/models';
import '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { openCifar10 } from '../cifar10.ts';
import { parseCriterion, selectionOf } from '../criteria/protocol.ts';
import type { BaseRecord, PrunedRecord, Task } from '../criteria/records.ts';
import { measureAccuracy, sizeOf } from '../study/measure-network.ts';
import { loadModel, saveModel } from '../study/model-files.ts';
import { OBJECTIVE, PRECISION, tunings } from '../study/quickstart.ts';

type PruningTask = Extract<Task, { kind: 'pruned' }>;

const task = JSON.parse(process.argv[2]!) as Task;
const { setup, seed } = task;
const baseFolder = join(task.folder, 'base');
const { base, fine, final } = tunings(setup);
const common = { objective: OBJECTIVE, precision: PRECISION } as const;

await tf.setBackend('torch');
const images = await openCifar10({ ...setup, seed, data: task.data });
try {
  console.log(JSON.stringify(await (task.kind === 'base' ? trainBase() : prune(task))));
} finally {
  await images.close();
}

async function trainBase(): Promise<BaseRecord> {
  const model = vgg11({ width: setup.width, seed });
  const started = performance.now();
  for await (const _ of train(model, images.training, { ...base, ...common }));
  const seconds = (performance.now() - started) / 1000;
  await saveModel(model, baseFolder);
  return { ...(await measureAccuracy(model, images)), ...sizeOf(model), seconds };
}

/** In equal steps to the target, each scored anew. */
async function prune({ criterion: name, target }: PruningTask): Promise<PrunedRecord> {
  const criterion = parseCriterion(name);
  const steps: PrunedRecord['steps'][number][] = [];
  const spent = { trainingSteps: 0, scoringSeconds: 0 };
  let model = await loadModel(baseFolder);
  const macs = countCost(model).macs;
  for (let step = 1; step <= setup.steps; step++) {
    const result = await removeOnce(model, {
      criterion:
        criterion.kind === 'random' ? { ...criterion, seed: 1000 * (seed + 1) + criterion.seed + step } : criterion,
      ...selectionOf(setup),
      fineTune: { ...(step === setup.steps ? final : fine), ...common },
      tolerance: 1,
      maxIterations: 1,
      target: { kind: 'macs', atMost: (1 - (target * step) / setup.steps) * macs },
    });
    if (result.model !== model) model.dispose();
    model = result.model;
    steps.push({ macs: result.cost.macs, validation: result.evaluation.accuracy });
  }
  return { ...(await measureAccuracy(model, images)), ...sizeOf(model), steps, ...spent };

  async function removeOnce(from: LayersModel, options: PruningOptions): Promise<PruningResult> {
    let since = performance.now();
    for await (const event of classAwarePruning(from, images, options)) {
      if (event.type === 'baseline') since = performance.now();
      if (event.type === 'scored') spent.scoringSeconds += (performance.now() - since) / 1000;
      if (event.type === 'training' && event.event.type === 'step') spent.trainingSteps++;
      if (event.type === 'finished') return event.result;
    }
    throw new Error('The pruning loop ended without a result.');
  }
}
