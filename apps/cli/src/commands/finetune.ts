import { resolve } from 'node:path';
import { countCost, readWeights } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { openTrainingSources } from '../run/image-sources.ts';
import { adaptDataset } from '../run/model-data.ts';
import { imagesOf, loadModel } from '../run/model-folder.ts';
import type { StoredRun } from '../run/stored-run.ts';
import { type TrainingWork, trainAndTest } from '../run/train-and-test.ts';
import { describeCost } from '../terminal/evaluation-report.ts';
import { percent } from '../terminal/format.ts';
import type { Terminal } from '../terminal/terminal.ts';
import {
  addResumeOption,
  begin,
  dataFolder,
  goOn,
  type Material,
  type Prepared,
  type ResumeFlags,
  stoppable,
} from './go-on.ts';
import { finishTraining, ONE_TRAINING } from './one-training.ts';
import {
  addCommonOptions,
  addConfigOptions,
  addDataOption,
  addEngineOptions,
  addOutOptions,
  type ConfigFlags,
  type DataFlags,
  type EngineFlags,
  type OutFlags,
} from './options.ts';
import { imageOptions, precisionFor, readConfig } from './read-config.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';
import { withRunDirectory } from './with-run-directory.ts';

type Flags = ConfigFlags & DataFlags & EngineFlags & OutFlags & ResumeFlags;

export function finetuneCommand(program: Command, bind: Bind): void {
  const command = program
    .command('finetune')
    .description('Trains a saved network further, for example after pruning.')
    .argument('[model]', 'model folder, run directory or .onnx file; not with --resume');
  addResumeOption(command);
  addConfigOptions(command, { trained: 'further' });
  addOutOptions(command, 'runs/finetune-<time>');
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
What is not given is as in the fine-tuning of the preset quickstart of 'run'.

Examples:
  secateur finetune runs/pruned --epochs 5 --learning-rate 0.02 --out runs/tuned
  secateur finetune --resume runs/tuned    go on with one that was stopped, or whose process was killed`,
    )
    .action(bind(finetune));
}

async function finetune(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  if (flags.resume !== undefined) {
    return goOn(invocation, flags.resume, {
      command: 'finetune',
      open: async ({ model, imageFolder }) => ({ settings: imageFolder, model: await load(model, terminal) }),
      prepare: (settings, material) => prepare(settings, { ...material, model: material.model! }),
      ...ONE_TRAINING,
    });
  }
  const [path] = invocation.args;
  if (path === undefined) throw new UsageError("missing required argument 'model'");
  const { config: asked, data } = await readConfig(invocation, 'fineTune');
  const engine = await startEngineFor(invocation);
  const precision = precisionFor(asked, { flags, engine, terminal });
  const model = await load(path, terminal);
  const training = { ...asked.fineTune, objective: asked.objective, precision };
  const { imageFolder, checkpoints } = asked;
  const settings = { model: resolve(path), training, images: imageOptions(asked), imageFolder, checkpoints };
  const identity = { command: 'finetune', ...settings, data: dataFolder(data), engine };
  return withRunDirectory(invocation, {
    name: 'finetune',
    identity,
    async prepare() {
      const dataset = await loadDatasetFor(invocation, { data, settings: imageFolder, network: imagesOf(model) });
      return prepare(settings, { terminal, dataset, engine, model });
    },
    work: (context, ready) => stoppable('finetune', context, () => begin(ready, context)),
  });
}

const load = (path: string, terminal: Terminal) => loadModel(path, (note) => terminal.warn(note));

type Settings = Pick<StoredRun<'finetune'>, 'model' | 'training' | 'images' | 'checkpoints'>;

async function prepare(
  { model: path, training, images, checkpoints: rhythm }: Settings,
  { engine, terminal, model, ...material }: Material & { readonly model: LayersModel },
): Promise<Prepared<TrainingWork>> {
  const dataset = adaptDataset(material.dataset, model);
  const { macs, parameters } = countCost(model);
  terminal.step('Network', `${model.name}: ${describeCost({ macs, parameters })}`);
  const sources = openTrainingSources(dataset, images);
  const configuration = { training, images };
  return {
    identity: { configuration, dataset, network: readWeights(model) },
    rhythm,
    async complete(run) {
      const { before, test } = await trainAndTest(model, { ...run, sources, training }, run);
      terminal.step('Test', `accuracy ${percent(before.accuracy, 2)} before, ${percent(test.accuracy, 2)} after`);
      const facts = { command: 'finetune', model: path, ...configuration, engine, macs, parameters };
      return finishTraining({ version: 1, ...facts, before, test }, run);
    },
  };
}
