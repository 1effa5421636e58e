import { join } from 'node:path';
import {
  type Criterion,
  type CriterionKind,
  type LayerScores,
  needsImages,
  type ProducerKind,
  readGraph,
  scoreFilters,
} from '@secateur/core';
import { pickPerClass } from '@secateur/data';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { observe } from '../run/batch-sources.ts';
import { criterionOf } from '../run/criteria.ts';
import type { Dataset } from '../run/dataset.ts';
import { toJson, writeOutput } from '../run/files.ts';
import { openImages } from '../run/image-sources.ts';
import { adaptDataset } from '../run/model-data.ts';
import { imagesOf, loadModel, trainingDataOf } from '../run/model-folder.ts';
import { isOnnxFile } from '../run/onnx-model.ts';
import { PRESETS } from '../run/presets.ts';
import { scoresToJson } from '../run/scores-file.ts';
import { whole } from '../terminal/format.ts';
import { scoresReport } from '../terminal/scores-report.ts';
import {
  addCommonOptions,
  addCriterionOptions,
  addDataOption,
  addEngineOptions,
  type CriterionFlags,
  type DataFlags,
  type EngineFlags,
  integer,
  kindsOption,
  number,
} from './options.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';

export interface ScoringFlags extends CriterionFlags, DataFlags, EngineFlags {
  readonly criterion: CriterionKind;
  readonly imagesPerClass: number;
  readonly seed: number;
}

type Flags = ScoringFlags & {
  readonly out?: string;
  readonly threshold: number;
  readonly kinds?: readonly ProducerKind[];
};

export function scoreCommand(program: Command, bind: Bind): void {
  const command = program
    .command('score')
    .description('Scores the filters of a saved network by the number of classes that they matter to.')
    .argument('<model>', 'model folder, run directory or .onnx file')
    .option('--out <file>', 'default: scores.json in that folder, or <name>.scores.json beside the .onnx file')
    .addOption(kindsOption('what is scored'))
    .option('--threshold <share>', 'share of the classes, to count the filters below', number, 0.3);
  addScoringOptions(command);
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  secateur score runs/resnet20                          a histogram for each layer, and scores.json
  secateur score runs/resnet20 --criterion relative --rho 0.5 --images-per-class 50
  secateur score runs/vgg16 --kinds conv,dense          units of hidden dense layers too
  secateur score runs/resnet20 --criterion l1-norm      a baseline, which needs no images`,
    )
    .action(bind(score));
}

export function addScoringOptions(command: Command): Command {
  return addCriterionOptions(command, 'reference')
    .option('--images-per-class <n>', 'scoring images of each class', integer(1), PRESETS.quickstart.imagesPerClass)
    .option('--seed <n>', 'picks the scoring images, or the scores of random', integer(0), 0);
}

async function score(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  const [path] = invocation.args as [string];
  const criterion = chosenCriterion(flags);
  await startEngineFor(invocation);
  const model = await loadModel(path, (note) => terminal.warn(note));
  const dataset = needsImages(criterion)
    ? adaptDataset(await loadDatasetFor(invocation, { network: imagesOf(model) }), model)
    : undefined;
  const { kinds } = flags;
  const layers = kinds && [...new Set(readGraph(model, { kinds }).groups.flatMap(({ producers }) => producers))];
  if (layers?.length === 0) {
    throw new Error(
      `No ${kinds!.join(' and no ')} layer of this network can lose filters. Choose others with --kinds.`,
    );
  }
  const scores = await scoreWith(invocation, { model, dataset, ...(layers && { layers }) });
  const classNames = dataset?.train.classNames ?? trainingDataOf(model)?.classNames ?? [];
  const json = scoresToJson(scores, { criterion, classNames });
  const file = flags.out ?? defaultFile(path);
  await writeOutput(file, toJson(json));
  terminal.result({ text: () => scoresReport(scores, { threshold: flags.threshold }), value: json });
  terminal.step('Written', file);
  return EXIT.ok;
}

function defaultFile(model: string): string {
  return isOnnxFile(model) ? model.replace(/\.onnx$/, '.scores.json') : join(model, 'scores.json');
}

/**
 * @param what.dataset Undefined for criteria that need no images.
 * @param what.layers By default all convolutions.
 */
export async function scoreWith(
  { flags, terminal, signal }: Invocation<ScoringFlags>,
  { model, dataset, layers }: { model: LayersModel; dataset: Dataset | undefined; layers?: readonly string[] },
): Promise<LayerScores[]> {
  const options = { criterion: chosenCriterion(flags), ...(layers && { layers }) };
  if (!dataset) return scoreFilters(model, undefined, options);
  const images = pickPerClass(dataset.train, { perClass: flags.imagesPerClass, seed: flags.seed });
  const source = openImages(images, { batchSize: 100, statistics: dataset.statistics });
  try {
    let seen = 0;
    const onBatch = (count: number) => {
      seen += count;
      terminal.progress(() => `  score filters: ${whole(seen)} of ${whole(source.size)} images`);
    };
    return await scoreFilters(model, observe(source, { signal, onBatch }), options);
  } finally {
    await source.close();
  }
}

export function chosenCriterion({ criterion, tau, rho, quantile, seed }: ScoringFlags): Criterion {
  const chosen = criterionOf(criterion, { tau, rho, quantile });
  return chosen.kind === 'random' ? { ...chosen, seed } : chosen;
}
