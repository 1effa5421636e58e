import { countCost } from '@secateur/core';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { adaptDataset } from '../run/model-data.ts';
import { loadModel } from '../run/model-folder.ts';
import { trainAndTest } from '../run/train-and-test.ts';
import { describeCost, evaluationReport } from '../terminal/evaluation-report.ts';
import { percent } from '../terminal/format.ts';
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

export function finetuneCommand(program: Command, bind: Bind): void {
  const command = program
    .command('finetune')
    .description('Trains a saved network further, for example after pruning.')
    .argument('<model>', 'model folder, run directory or .onnx file');
  addConfigOptions(command, { trained: 'further' });
  addOutOptions(command, 'runs/finetune-<time>');
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
What is not given is as in the fine-tuning of the preset quickstart of 'run'.

Example:
  secateur finetune runs/pruned --epochs 5 --learning-rate 0.02 --out runs/tuned`,
    )
    .action(bind(finetune));
}

async function finetune(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  const [path] = invocation.args as [string];
  const { config: asked } = await readConfig(invocation, 'fineTune');
  const engine = await startEngineFor(invocation);
  const precision = precisionFor(asked, { flags, engine, terminal });
  const model = await loadModel(path, (note) => terminal.warn(note));
  const training = { ...asked.fineTune, objective: asked.objective, precision };
  const images = imageOptions(asked);
  const identity = { command: 'finetune', model: path, training, images, engine };
  return withRunDirectory(invocation, { name: 'finetune', identity }, async (context) => {
    const dataset = adaptDataset(await loadDatasetFor(invocation), model);
    const { macs, parameters } = countCost(model);
    terminal.step('Network', `${model.name}: ${describeCost({ macs, parameters })}`);
    const { before, test } = await trainAndTest(model, dataset, { images, training }, context);
    const summary = { version: 1, ...identity, macs, parameters, before, test, seconds: context.stopwatch.seconds };
    await context.directory.writeJson('summary.json', summary);
    terminal.step('Test', `accuracy ${percent(before.accuracy, 2)} before, ${percent(test.accuracy, 2)} after`);
    terminal.result({ text: () => evaluationReport(test), value: summary });
    return EXIT.ok;
  });
}
