import { countCost } from '@secateur/core';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import type { ExitCode } from '../exit.ts';
import { openTrainingSources } from '../run/image-sources.ts';
import { trainingDataFor } from '../run/model-data.ts';
import { attachTrainingData } from '../run/model-folder.ts';
import { buildNetwork } from '../run/networks.ts';
import type { StoredRun } from '../run/stored-run.ts';
import { type TrainingWork, trainAndTest } from '../run/train-and-test.ts';
import { describeCost } from '../terminal/evaluation-report.ts';
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

export function trainCommand(program: Command, bind: Bind): void {
  const command = program.command('train').description('Trains a network from random weights and saves it.');
  addResumeOption(command);
  addConfigOptions(command, { trained: 'from scratch' });
  addOutOptions(command, 'runs/train-<time>');
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
What is not given is as in the preset quickstart of 'run'.

Examples:
  secateur train --network resnet20 --epochs 30 --out runs/resnet20
  secateur train --data folder:photos --image-size 64 --network resnet20
  secateur train --network vgg19 --data cifar-100-binary --l1 1e-4 --orthogonality 1e-2
  secateur train --resume runs/resnet20         go on with a training that was stopped, or whose process was killed`,
    )
    .action(bind(train));
}

async function train(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  if (flags.resume !== undefined) {
    const open = async ({ imageFolder }: StoredRun<'train'>) => ({ settings: imageFolder });
    return goOn(invocation, flags.resume, { command: 'train', open, prepare, ...ONE_TRAINING });
  }
  const { config: asked, data } = await readConfig(invocation, 'training');
  const engine = await startEngineFor(invocation);
  const precision = precisionFor(asked, { flags, engine, terminal });
  const { network, width, seed, objective, imageFolder, checkpoints } = asked;
  const training = { ...asked.training, objective, precision };
  const settings = { network, width, seed, training, images: imageOptions(asked), imageFolder, checkpoints };
  const identity = { command: 'train', ...settings, data: dataFolder(data), engine };
  return withRunDirectory(invocation, {
    name: 'train',
    identity,
    async prepare() {
      const dataset = await loadDatasetFor(invocation, { data, settings: imageFolder });
      return prepare(settings, { terminal, dataset, engine });
    },
    work: (context, ready) => stoppable('train', context, () => begin(ready, context)),
  });
}

type Settings = Pick<StoredRun<'train'>, 'network' | 'width' | 'seed' | 'training' | 'images' | 'checkpoints'>;

async function prepare(
  { network, width, seed, training, images, checkpoints: rhythm }: Settings,
  { dataset, engine, terminal }: Material,
): Promise<Prepared<TrainingWork>> {
  const { classNames, shape } = dataset.train;
  const model = buildNetwork(network, { classes: classNames.length, width, inputShape: shape, seed });
  attachTrainingData(model, trainingDataFor(dataset));
  const { macs, parameters } = countCost(model);
  terminal.step('Network', `${network}, width ${width}: ${describeCost({ macs, parameters })}`);
  const sources = openTrainingSources(dataset, images);
  const configuration = { network, width, seed, training, images };
  return {
    identity: { configuration, dataset },
    rhythm,
    async complete(run) {
      const { test } = await trainAndTest(model, { ...run, sources, training }, run);
      return finishTraining({ version: 1, command: 'train', ...configuration, engine, macs, parameters, test }, run);
    },
  };
}
