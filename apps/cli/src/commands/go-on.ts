import { basename } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import type { Invocation } from '../cli.ts';
import { type ExitCode, ResumableStop, UsageError } from '../exit.ts';
import { CheckpointStore } from '../run/checkpoint-store.ts';
import {
  type CheckpointRhythm,
  CheckpointWriter,
  describeUnusable,
  openCheckpoints,
  type WorkIdentity,
} from '../run/checkpoints.ts';
import type { RunContext } from '../run/context.ts';
import type { Dataset } from '../run/dataset.ts';
import type { Engine } from '../run/engine.ts';
import { type ImageFolderSettings, resolveData } from '../run/image-folder.ts';
import { imagesOf } from '../run/model-folder.ts';
import { RunDirectory } from '../run/run-directory.ts';
import { Stopwatch } from '../run/stopwatch.ts';
import {
  type ResumableCommand,
  readStoredRun,
  readSummary,
  type StoredRun,
  type StoredSurroundings,
} from '../run/stored-run.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { DataFlags, EngineFlags } from './options.ts';
import { loadDatasetFor, startEngineFor } from './start.ts';
import { shortPath, workIn } from './with-run-directory.ts';

export interface ResumeFlags extends DataFlags, EngineFlags {
  readonly resume?: string;
}

export function addResumeOption(command: Command): Command {
  return command.option('--resume <dir>', 'go on with the work in that folder, with its own configuration');
}

/** Work that checkpoints are written of, ready to begin or to go on; nothing of it has been written yet. */
export interface Prepared<Work> {
  readonly identity: WorkIdentity;
  readonly rhythm: CheckpointRhythm;
  complete(
    run: RunContext & { readonly checkpoints: CheckpointWriter<Work>; readonly resume?: Work },
  ): Promise<ExitCode>;
}

/** What work is done with and on. */
export interface Material {
  readonly terminal: Terminal;
  readonly dataset: Dataset;
  readonly engine: Engine;
  /** The network that the work began with, if it was given one. */
  readonly model?: LayersModel | undefined;
}

/** What has to be known before images are read. */
export interface Opened {
  readonly settings: ImageFolderSettings;
  readonly model?: LayersModel | undefined;
}

/** How a command goes on with what one of its processes has begun. */
export interface Job<Name extends ResumableCommand, Work> {
  readonly command: Name;
  open(config: StoredRun<Name>, directory: RunDirectory): Promise<Opened>;
  prepare(config: StoredRun<Name>, material: Material): Promise<Prepared<Work>>;
  /** Where the work is, in words. */
  describe(work: Work): string;
  /** For work that is complete. */
  showAgain(summary: unknown, context: RunContext): Promise<ExitCode> | ExitCode;
}

/** Does the work from its beginning. */
export async function begin<Work>(
  { identity, rhythm, complete }: Prepared<Work>,
  context: RunContext,
): Promise<ExitCode> {
  const store = await openCheckpoints<Work>(context.directory, identity);
  return complete({ ...context, checkpoints: new CheckpointWriter(store, { ...context, rhythm }) });
}

/** Goes on with the work in a folder from its last good checkpoint, on its own images, engine and number of threads. */
export async function goOn<Name extends ResumableCommand, Work>(
  invocation: Invocation<ResumeFlags>,
  path: string,
  { command, open, prepare, describe, showAgain }: Job<Name, Work>,
): Promise<ExitCode> {
  const { flags, terminal, signal } = invocation;
  refuseOtherFlags(command, invocation);
  const { directory, config } = await RunDirectory.reopen(path, (value, file) => readStoredRun(command, value, file));
  const { data, engine: before, startedAt }: StoredSurroundings = config;
  return workIn(directory, { terminal, signal, startedAt, stopwatch: new Stopwatch() }, (context) =>
    stoppable(command, context, async () => {
      const done = await readSummary(directory.file('summary.json'));
      if (done) {
        // A process may have been killed between its last two steps.
        await (await CheckpointStore.open(directory.file('checkpoints'))).clear();
        terminal.step('Complete', `${shortPath(directory.path)} has nothing left to do; this was its result.`);
        return showAgain(done, context);
      }
      const threads = flags.threads ?? (before.name === 'torch' ? before.threads : null);
      const engine = await startEngineFor({
        ...invocation,
        flags: { ...flags, engine: flags.engine ?? before.name, ...(threads !== null && { threads }) },
      });
      warnOfOtherEngine(terminal, before, engine);
      const { stopwatch } = context;
      const { settings, model } = await open(config, directory);
      const images = { data: flags.data ?? data ?? undefined, settings, network: model && imagesOf(model) };
      const dataset = await stopwatch.time('data', () => loadDatasetFor(invocation, images));
      const { identity, rhythm, complete } = await prepare(config, { terminal, dataset, engine, model });
      const store = await openCheckpoints<Work>(directory, identity);
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
      terminal.step('Resuming', `${shortPath(directory.path)} ${state ? describe(state) : 'from its beginning'}`);
      const whole = new Stopwatch(state ? addSeconds(state.seconds, stopwatch.seconds) : stopwatch.seconds);
      const run = { ...context, stopwatch: whole };
      return complete({
        ...run,
        checkpoints: new CheckpointWriter(store, { ...run, rhythm }),
        ...(state && { resume: state }),
      });
    }),
  );
}

/** Whatever is interrupted can be gone on with: at worst it starts at its beginning. */
export async function stoppable(
  command: ResumableCommand,
  { directory, signal }: RunContext,
  work: () => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    const goOn = `secateur ${command} --resume '${shortPath(directory.path)}'`;
    if (signal.aborted) throw new ResumableStop(`stopped. Go on with: ${goOn}`, { cause: error });
    if (!isWriteFailure(error)) throw error;
    const found = (error as Error).message.replace(/\.$/, '');
    throw new Error(`${found}. What was written before is whole. Mend that, then: ${goOn}`, { cause: error });
  }
}

/** As config.json keeps it, whichever folder the work is gone on with from. */
export function dataFolder(data: string | undefined): string | null {
  return data === undefined ? null : resolveData(data);
}

/** Of a disk that is full, or cannot be written. */
function isWriteFailure(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === 'string') return ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO'].includes(code);
  return cause !== undefined && isWriteFailure(cause);
}

/** What --resume may be given with: where things are and how they are shown, but nothing that decides how the work goes. */
const WITH_RESUME = new Set(['resume', 'watch', 'watchHost', 'data', 'engine', 'threads', 'quiet', 'json', 'debug']);

function refuseOtherFlags(command: ResumableCommand, { flags, args }: Invocation<ResumeFlags>): void {
  const [other] = Object.entries(flags).filter(([name, value]) => value !== undefined && !WITH_RESUME.has(name));
  const flag = other && `--${other[0].replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const superfluous = flag ?? (args[0] && `'${args[0]}'`);
  if (!superfluous) return;
  const what = command === 'run' ? 'run' : 'training';
  throw new UsageError(
    `A ${what} goes on with its own configuration: leave out ${superfluous}, or start another ${what} without --resume.`,
  );
}

function warnOfOtherEngine(terminal: Terminal, before: StoredSurroundings['engine'], now: Engine): void {
  if (before.description === now.description && before.threads === now.threads) return;
  const describe = ({ description, threads }: StoredSurroundings['engine']) =>
    `${description} with ${threads ?? 'its own'} threads`;
  terminal.warn(
    `this began on ${describe(before)} and goes on with ${describe(now)}: it will not end with the very same bits.`,
  );
}

function addSeconds(
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
): Record<string, number> {
  const sums: Record<string, number> = { ...before };
  for (const [part, seconds] of Object.entries(now)) sums[part] = (sums[part] ?? 0) + seconds;
  return sums;
}
