import { countCost } from '@secateur/core';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { attachTrainingData } from '../run/model-folder.ts';
import { buildNetwork } from '../run/networks.ts';
import { trainAndTest } from '../run/train-and-test.ts';
import { describeCost, evaluationReport } from '../terminal/evaluation-report.ts';
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

type Flags = ConfigFlags & DataFlags & EngineFlags & OutFlags;

export function trainCommand(program: Command, bind: Bind): void {
  const command = program.command('train').description('Trains a network from random weights and saves it.');
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
  secateur train --network vgg19 --data cifar-100-binary --l1 1e-4 --orthogonality 1e-2`,
    )
    .action(bind(train));
}

async function train(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  const { config: asked } = await readConfig(invocation, 'training');
  const engine = await startEngineFor(invocation);
  const precision = precisionFor(asked, { flags, engine, terminal });
  const { network, width, seed, objective } = asked;
  const training = { ...asked.training, objective, precision };
  const images = imageOptions(asked);
  const identity = { command: 'train', network, width, seed, training, images, engine };
  return withRunDirectory(invocation, { name: 'train', identity }, async (context) => {
    const dataset = await loadDatasetFor(invocation);
    const { classNames, shape } = dataset.train;
    const model = buildNetwork(network, { classes: classNames.length, width, inputShape: shape, seed });
    attachTrainingData(model, { classNames, ...dataset.statistics });
    const { macs, parameters } = countCost(model);
    terminal.step('Network', `${network}, width ${width}: ${describeCost({ macs, parameters })}`);
    const { test } = await trainAndTest(model, dataset, { images, training }, context);
    const summary = { version: 1, ...identity, macs, parameters, test, seconds: context.stopwatch.seconds };
    await context.directory.writeJson('summary.json', summary);
    terminal.result({ text: () => evaluationReport(test), value: summary });
    return EXIT.ok;
  });
}
