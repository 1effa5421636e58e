import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readWeights } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode, UsageError } from '../exit.ts';
import { writeReport } from '../report/write-report.ts';
import type { RunContext } from '../run/context.ts';
import type { Dataset } from '../run/dataset.ts';
import { executeRun } from '../run/execute-run.ts';
import { adaptDataset } from '../run/model-data.ts';
import { imagesOf, loadModel, trainingDataOf } from '../run/model-folder.ts';
import { PRESET_NAMES, type PresetName } from '../run/presets.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { gatherMaterial } from '../run/run-material.ts';
import type { WorkState } from '../run/run-state.ts';
import type { StoredRun } from '../run/stored-run.ts';
import type { Summary } from '../run/summary.ts';
import { describePlace } from '../run/train-and-test.ts';
import { summaryReport } from '../terminal/summary-report.ts';
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
import {
  addCommonOptions,
  addConfigOptions,
  addDataOption,
  addEngineOptions,
  addOutOptions,
  addPruningOptions,
  type ConfigFlags,
  choice,
  type DataFlags,
  type EngineFlags,
  type OutFlags,
  type PruningFlags,
} from './options.ts';
import { precisionFor, readConfig } from './read-config.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';
import { Watch, type WatchFlags } from './watch.ts';
import { shortPath, withRunDirectory } from './with-run-directory.ts';

type Flags = ConfigFlags &
  PruningFlags &
  DataFlags &
  EngineFlags &
  OutFlags &
  WatchFlags &
  ResumeFlags & {
    readonly preset?: PresetName;
  };

export function runCommand(program: Command, bind: Bind): void {
  const command = program
    .command('run')
    .description(
      'The main job: train a network, prune it class by class, fine-tune, export to ONNX, verify, and report.',
    )
    .addOption(choice('--preset <name>', `${PRESET_NAMES.join(', ')}; default: quickstart`, PRESET_NAMES))
    .option('--watch', 'serve the report while the run goes on, on 127.0.0.1 at a free port')
    .option(
      '--watch-host <address>',
      'serve it on this interface, such as 0.0.0.0 for all; whoever has the address gets in',
    );
  addResumeOption(command);
  addConfigOptions(command, { trained: 'from scratch' });
  command.option(
    '--model <path>',
    'your own trained network, a LayersModel folder or .onnx file, to prune in place of one trained here; --epochs trains it further before',
  );
  addPruningOptions(command);
  addOutOptions(command, 'runs/<preset>-<time>');
  addDataOption(command);
  addEngineOptions(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  secateur run                                  CIFAR-10 from random weights to a verified, smaller ONNX file
  secateur run --preset smoke                   the same path in under a minute
  secateur run --network resnet20 --target 0.6  another network, more removed
  secateur run --data folder:photos --image-size 64   your own images, in a sub-folder for each class
  secateur run --data folder:photos --model my.onnx   your own trained network, pruned on your own images
  secateur run --watch                          look at it in a browser while it goes on
  secateur run --resume runs/a                  go on with a run that was stopped, or whose process was killed
  secateur run --config my.json --out runs/a    settings from a file, such as { "training": { "epochs": 20 } }
  secateur run --preset paper/vgg16-cifar10     the method as published; days on a processor

A secateur.config.json or secateur.config.ts in the current folder is used by itself.`,
    )
    .action(bind(run));
}

async function run(invocation: Invocation<Flags>): Promise<ExitCode> {
  const { resume } = invocation.flags;
  const watch = new Watch(invocation.flags);
  try {
    return await (resume === undefined ? startRun(invocation, watch) : resumeRun(invocation, resume, watch));
  } finally {
    await watch.finish();
  }
}

async function startRun(invocation: Invocation<Flags>, watch: Watch): Promise<ExitCode> {
  const { flags, terminal } = invocation;
  const { preset, config: asked, data } = await readConfig(invocation, 'training');
  requireDataOf(preset, data);
  const engine = await startEngineFor(invocation);
  const precision = precisionFor(asked, { flags, engine, terminal });
  const config = { ...asked, precision };
  const model = config.model === null ? undefined : await load(config.model, terminal);
  const identity = { command: 'run', preset, config, data: dataFolder(data), engine };
  return withRunDirectory(invocation, {
    name: preset.replace('/', '-'),
    identity,
    async prepare(stopwatch) {
      const images = { data, settings: config.imageFolder, network: model && imagesOf(model) };
      const dataset = await stopwatch.time('data', () => loadDatasetFor(invocation, images));
      return prepare({ config }, { terminal, dataset, engine, model });
    },
    work: (context, ready) =>
      stoppable('run', context, async () => {
        await watch.start(context);
        if (model) await context.directory.saveModel(GIVEN, model);
        return begin(ready, context);
      }),
  });
}

/** Nobody wants a network for CIFAR-100 trained on the images that are there by default. */
function requireDataOf(preset: PresetName, data: string | undefined): void {
  if (!preset.endsWith('-cifar100') || data !== undefined) return;
  throw new UsageError(
    `The preset '${preset}' is for CIFAR-100: name the folder of its binary files, such as --data cifar-100-binary.`,
  );
}

function resumeRun(invocation: Invocation<Flags>, path: string, watch: Watch): Promise<ExitCode> {
  return goOn(invocation, path, {
    command: 'run',
    open: async ({ config }, directory) => ({
      settings: config.imageFolder,
      ...(config.model !== null && { model: await loadAgain(config.model, directory, invocation.terminal) }),
    }),
    async prepare(stored, material) {
      const prepared = await prepare(stored, material);
      return {
        ...prepared,
        async complete(run) {
          await watch.start(run);
          return prepared.complete(run);
        },
      };
    },
    describe: describeState,
    showAgain: (summary, context) => finish(summary as Summary, context),
  });
}

/** A run keeps the network that it was given: what is at its place may change. */
const GIVEN = 'checkpoints/given';

const load = (path: string, terminal: Terminal) => loadModel(path, (note) => terminal.warn(note));

function loadAgain(path: string, directory: RunDirectory, terminal: Terminal): Promise<LayersModel> {
  const kept = directory.file(GIVEN);
  return load(existsSync(join(kept, 'model.json')) ? kept : path, terminal);
}

async function prepare(
  { config }: Pick<StoredRun<'run'>, 'config'>,
  { engine, terminal, model, ...material }: Material,
): Promise<Prepared<WorkState>> {
  if (model) warnOfGuesses(config.model!, model, { dataset: material.dataset, terminal });
  const dataset = model ? adaptDataset(material.dataset, model) : material.dataset;
  const gathered = await gatherMaterial(config, { dataset, given: model });
  // How often checkpoints are written changes no result.
  const { checkpoints: rhythm, ...configuration } = config;
  return {
    identity: { configuration, dataset, ...(model && { network: readWeights(model) }) },
    rhythm,
    async complete(run) {
      const summary = await executeRun(config, { ...run, ...gathered, engine });
      run.terminal.line();
      return finish(summary, run);
    },
  };
}

/** A network from elsewhere may have been trained on images that were standardised otherwise. */
function warnOfGuesses(
  path: string,
  model: LayersModel,
  { dataset, terminal }: { readonly dataset: Dataset; readonly terminal: Terminal },
): void {
  if (trainingDataOf(model) || dataset.folder?.hasOwnStatistics) return;
  terminal.warn(
    `'${basename(path)}' does not say how its images were standardised: those of ${dataset.name} are by mean and standard deviation of its training images, with classes in the order ${dataset.train.classNames.join(', ')}. If it was trained otherwise, give --image-mean and --image-std.`,
  );
}

async function finish(summary: Summary, context: RunContext): Promise<ExitCode> {
  const { terminal, directory } = context;
  terminal.result({ text: () => summaryReport(summary, { colors: terminal.resultColors }), value: summary });
  await reportOn(context);
  terminal.line();
  terminal.step('Written', `report.html, model.onnx, model/, summary.json and more in ${shortPath(directory.path)}`);
  return summary.passed ? EXIT.ok : EXIT.goalMissed;
}

function describeState({ training, pruning }: WorkState): string {
  if (training) return `in its training: ${describePlace(training)}`;
  const { iteration, removal, ending } = pruning!;
  const tuning = removal?.training ?? ending?.training;
  const where = ending ? 'after its last iteration' : `in iteration ${iteration}`;
  return tuning ? `${where}: ${describePlace(tuning)}` : where;
}

/** What the run was for is there already: a page that cannot be made is no reason to fail. */
async function reportOn({ directory, terminal }: RunContext): Promise<void> {
  try {
    await writeReport([directory.path]);
  } catch (error) {
    terminal.warn(
      `report.html could not be written (${(error as Error).message}). Try again with: secateur report ${shortPath(directory.path)}`,
    );
  }
}
