import { join, relative } from 'node:path';
import type { Invocation } from '../cli.ts';
import type { ExitCode } from '../exit.ts';
import type { RunContext } from '../run/context.ts';
import { RunDirectory } from '../run/run-directory.ts';
import { Stopwatch } from '../run/stopwatch.ts';
import { VERSION } from '../version.ts';
import type { OutFlags } from './options.ts';

export interface RunPlan<Ready> {
  readonly name: string;
  /** What config.json says beyond versions and command line. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** Reads and checks all that the work is done on: what fails here leaves no trace, and a former run as it was. */
  prepare(stopwatch: Stopwatch): Promise<Ready>;
  work(context: RunContext, ready: Ready): Promise<ExitCode>;
}

/** Makes everything ready, opens the run directory, records who asks for what, does the work, and records how it ended. */
export async function withRunDirectory<Ready>(
  { flags, terminal, signal, commandLine }: Invocation<OutFlags>,
  { name, identity, prepare, work }: RunPlan<Ready>,
): Promise<ExitCode> {
  const startedAt = new Date().toISOString();
  const path = flags.out ?? join('runs', `${name}-${startedAt.slice(0, 19).replaceAll(':', '-')}`);
  const force = flags.force ?? false;
  await RunDirectory.check(path, { force });
  const stopwatch = new Stopwatch();
  const ready = await prepare(stopwatch);
  signal.throwIfAborted();
  const versions = { secateur: VERSION, node: process.version };
  const directory = await RunDirectory.create(path, {
    force,
    config: { ...identity, versions, commandLine, startedAt },
  });
  terminal.step('Writing to', shortPath(directory.path));
  directory.event({ type: 'started', at: startedAt });
  return workIn(directory, { terminal, signal, startedAt, stopwatch }, (context) => work(context, ready));
}

/** Does the work in an open run directory, records how it ended, and closes it. */
export async function workIn(
  directory: RunDirectory,
  surroundings: Omit<RunContext, 'directory'>,
  work: (context: RunContext) => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await work({ directory, ...surroundings });
  } catch (error) {
    recordFailure(directory, surroundings.signal.aborted ? 'interrupted' : 'failed', error as Error);
    throw error;
  } finally {
    directory.close();
  }
}

/** What went wrong matters more than that it cannot be recorded, as on a full disk. */
function recordFailure(directory: RunDirectory, type: 'interrupted' | 'failed', { message }: Error): void {
  try {
    if (directory.isOpen) directory.event({ type, message });
  } catch {
    // The error itself is reported.
  }
}

/** Seen from the current folder where that is shorter. */
export function shortPath(path: string): string {
  const fromHere = relative('', path) || '.';
  return fromHere.length < path.length ? fromHere : path;
}
