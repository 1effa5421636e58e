import { join, relative } from 'node:path';
import type { Invocation } from '../cli.ts';
import type { ExitCode } from '../exit.ts';
import type { RunContext } from '../run/context.ts';
import { RunDirectory } from '../run/run-directory.ts';
import { Stopwatch } from '../run/stopwatch.ts';
import { VERSION } from '../version.ts';
import type { OutFlags } from './options.ts';

/**
 * Opens the run directory, records who asks for what, does the work, and records how it ended.
 *
 * @param identity What config.json says beyond versions and command line.
 */
export async function withRunDirectory(
  { flags, terminal, signal, commandLine }: Invocation<OutFlags>,
  { name, identity }: { name: string; identity: Readonly<Record<string, unknown>> },
  work: (context: RunContext) => Promise<ExitCode>,
): Promise<ExitCode> {
  const startedAt = new Date().toISOString();
  const path = flags.out ?? join('runs', `${name}-${startedAt.slice(0, 19).replaceAll(':', '-')}`);
  const versions = { secateur: VERSION, node: process.version };
  const directory = await RunDirectory.create(path, {
    force: flags.force ?? false,
    config: { ...identity, versions, commandLine, startedAt },
  });
  terminal.step('Writing to', shortPath(directory.path));
  directory.event({ type: 'started', at: startedAt });
  return workIn(directory, { terminal, signal, startedAt }, work);
}

/** Does the work in an open run directory, records how it ended, and closes it. */
export async function workIn(
  directory: RunDirectory,
  { terminal, signal, startedAt }: Pick<RunContext, 'terminal' | 'signal' | 'startedAt'>,
  work: (context: RunContext) => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await work({ directory, terminal, signal, startedAt, stopwatch: new Stopwatch() });
  } catch (error) {
    recordFailure(directory, signal.aborted ? 'interrupted' : 'failed', error as Error);
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
