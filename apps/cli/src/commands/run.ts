import { basename, resolve } from 'node:path';
import type { TrainingState } from '@secateur/core';
import type { Command } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode, ResumableStop, UsageError } from '../exit.ts';
import { writeReport } from '../report/write-report.ts';
import type { CheckpointStore } from '../run/checkpoint-store.ts';
import type { RunContext } from '../run/context.ts';
import type { Engine } from '../run/engine.ts';
import { executeRun, type RunMaterial } from '../run/execute-run.ts';
import { PRESET_NAMES, type PresetName } from '../run/presets.ts';
import type { RunConfig } from '../run/run-config.ts';
import { RunDirectory } from '../run/run-directory.ts';
import { CheckpointWriter, describeUnusable, openCheckpoints, type RunState } from '../run/run-state.ts';
import { Stopwatch } from '../run/stopwatch.ts';
import { readStoredRun, readSummary, type StoredRun } from '../run/stored-run.ts';
import type { Summary } from '../run/summary.ts';
import { summaryReport } from '../terminal/summary-report.ts';
import type { Terminal } from '../terminal/terminal.ts';
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
import { shortPath, withRunDirectory, workIn } from './with-run-directory.ts';

type Flags = ConfigFlags &
  PruningFlags &
  DataFlags &
  EngineFlags &
  OutFlags &
  WatchFlags & {
    readonly preset?: PresetName;
    readonly resume?: string;
  };

export function runCommand(program: Command, bind: Bind): void {
  const command = program
    .command('run')
    .description(
      'The main job: train a network, prune it class by class, fine-tune, export to ONNX, verify, and report.',
    )
    .addOption(choice('--preset <name>', `${PRESET_NAMES.join(', ')}; default: quickstart`, PRESET_NAMES))
    .option('--resume <dir>', 'go on with the run in that folder, with its own configuration')
    .option('--watch', 'serve the report while the run goes on, on 127.0.0.1 at a free port')
    .option(
      '--watch-host <address>',
      'serve it on this interface, such as 0.0.0.0 for all; whoever has the address gets in',
    );
  addConfigOptions(command, { trained: 'from scratch' });
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
  const { preset, config: asked } = await readConfig(invocation, 'training');
  requireDataOf(preset, flags);
  const engine = await startEngineFor(invocation);
  const precision = precisionFor(asked, { flags, engine, terminal });
  const config = { ...asked, precision };
  const data = flags.data === undefined ? null : resolve(flags.data);
  const identity = { command: 'run', preset, config, data, engine };
  return withRunDirectory(invocation, { name: preset.replace('/', '-'), identity }, (context) =>
    stoppable(context, async () => {
      await watch.start(context);
      const dataset = await context.stopwatch.time('data', () => loadDatasetFor(invocation));
      const store = await openCheckpoints(context.directory, { config, dataset });
      return complete(config, { ...context, store, dataset, engine });
    }),
  );
}

/** Nobody wants a network for CIFAR-100 trained on the images that are there by default. */
function requireDataOf(preset: PresetName, { data }: Flags): void {
  if (!preset.endsWith('-cifar100') || data !== undefined) return;
  throw new UsageError(
    `The preset '${preset}' is for CIFAR-100: name the folder of its binary files, such as --data cifar-100-binary.`,
  );
}

async function resumeRun(invocation: Invocation<Flags>, path: string, watch: Watch): Promise<ExitCode> {
  const { flags, terminal, signal } = invocation;
  refuseOtherFlags(flags);
  const { directory, config: stored } = await RunDirectory.reopen(path, readStoredRun);
  const { config, data, engine: before, startedAt } = stored;
  return workIn(directory, { terminal, signal, startedAt }, (context) =>
    stoppable(context, async () => {
      const done = await readSummary(directory.file('summary.json'));
      if (done) {
        terminal.step('Complete', `${shortPath(directory.path)} has nothing left to do; this was its result.`);
        return finish(done, context);
      }
      const threads = flags.threads ?? (before.name === 'torch' ? before.threads : null);
      const engine = await startEngineFor({
        ...invocation,
        flags: { ...flags, engine: flags.engine ?? before.name, ...(threads !== null && { threads }) },
      });
      warnOfOtherEngine(terminal, before, engine);
      const stopwatch = new Stopwatch();
      const source = {
        ...flags,
        ...(data !== null && { data }),
        ...(flags.data !== undefined && { data: flags.data }),
      };
      const dataset = await stopwatch.time('data', () => loadDatasetFor({ ...invocation, flags: source }));
      const store = await openCheckpoints(directory, { config, dataset });
      const found = await store.latest();
      for (const unusable of found?.unusable ?? []) terminal.warn(describeUnusable(unusable));
      const state = found?.state;
      directory.startEvents(state && { bytes: state.events, milliseconds: state.elapsed });
      if (!state) directory.event({ type: 'started', at: startedAt });
      directory.event({
        type: 'resumed',
        at: new Date().toISOString(),
        checkpoint: found ? basename(found.file) : null,
      });
      await watch.start(context);
      terminal.step('Resuming', `${shortPath(directory.path)} ${state ? describeState(state) : 'from its beginning'}`);
      return complete(config, {
        ...context,
        stopwatch: new Stopwatch(state ? addSeconds(state.seconds, stopwatch.seconds) : stopwatch.seconds),
        store,
        dataset,
        engine,
        resume: state,
      });
    }),
  );
}

async function complete(
  config: RunConfig,
  { store, ...run }: RunContext & Omit<RunMaterial, 'checkpoints'> & { readonly store: CheckpointStore<RunState> },
): Promise<ExitCode> {
  const checkpoints = new CheckpointWriter(store, { ...run, rhythm: config.checkpoints });
  const summary = await executeRun(config, { ...run, checkpoints });
  run.terminal.line();
  return finish(summary, run);
}

async function finish(summary: Summary, context: RunContext): Promise<ExitCode> {
  const { terminal, directory } = context;
  terminal.result({ text: () => summaryReport(summary, { colors: terminal.resultColors }), value: summary });
  await reportOn(context);
  terminal.line();
  terminal.step('Written', `report.html, model.onnx, model/, summary.json and more in ${shortPath(directory.path)}`);
  return summary.passed ? EXIT.ok : EXIT.goalMissed;
}

/** Whatever is interrupted can be gone on with: at worst it starts at its beginning. */
async function stoppable({ directory, signal }: RunContext, work: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    const goOn = `secateur run --resume '${shortPath(directory.path)}'`;
    if (signal.aborted) throw new ResumableStop(`stopped. Go on with: ${goOn}`, { cause: error });
    if (!isWriteFailure(error)) throw error;
    const found = (error as Error).message.replace(/\.$/, '');
    throw new Error(`${found}. What was written before is whole. Mend that, then: ${goOn}`, { cause: error });
  }
}

/** Of a disk that is full, or cannot be written. */
function isWriteFailure(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO'].includes(code);
  return cause !== undefined && isWriteFailure(cause);
}

/** What --resume may be given with: where things are and how they are shown, but nothing that decides how the run goes. */
const WITH_RESUME = new Set(['resume', 'watch', 'watchHost', 'data', 'engine', 'threads', 'quiet', 'json', 'debug']);

function refuseOtherFlags(flags: Flags): void {
  const [other] = Object.entries(flags).filter(([name, value]) => value !== undefined && !WITH_RESUME.has(name));
  if (!other) return;
  const flag = `--${other[0].replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new UsageError(
    `A run goes on with its own configuration: leave out ${flag}, or start another run without --resume.`,
  );
}

function warnOfOtherEngine(terminal: Terminal, before: StoredRun['engine'], now: Engine): void {
  if (before.description === now.description && before.threads === now.threads) return;
  const describe = ({ description, threads }: StoredRun['engine']) =>
    `${description} with ${threads ?? 'its own'} threads`;
  terminal.warn(
    `this run began on ${describe(before)} and goes on with ${describe(now)}: it will not end with the very same bits.`,
  );
}

function describeState({ training, pruning }: RunState): string {
  const place = (state: TrainingState) => `epoch ${state.epoch + 1}, step ${state.step + 1}`;
  if (training) return `in its training: ${place(training)}`;
  const { iteration, removal, ending } = pruning!;
  const tuning = removal?.training ?? ending?.training;
  const where = ending ? 'after its last iteration' : `in iteration ${iteration}`;
  return tuning ? `${where}: ${place(tuning)}` : where;
}

function addSeconds(
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
): Record<string, number> {
  const sums: Record<string, number> = { ...before };
  for (const [part, seconds] of Object.entries(now)) sums[part] = (sums[part] ?? 0) + seconds;
  return sums;
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
