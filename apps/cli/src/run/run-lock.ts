import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { temporaryName } from './files.ts';

/** Who holds a lock. A number of a process alone would not do: it is given again, and counted anew after a start. */
interface Holder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  /** When the process and its machine started, where the system tells. */
  readonly started: string | null;
  readonly boot: string | null;
}

/** A folder that one process at a time works in. */
export interface RunLock {
  release(): void;
}

/**
 * Takes the lock, also from a process that has ended without giving it back.
 *
 * @param path The lock's file.
 * @throws Error naming the process that holds it, and what to do.
 */
export function acquireLock(path: string): RunLock {
  const own: Holder = { token: randomUUID(), pid: process.pid, host: hostname(), ...originOf(process.pid) };
  for (;;) {
    if (create(path, own)) return { release: () => release(path, own) };
    const holder = read(path);
    if (!holder) continue;
    if (!hasEnded(holder)) throw new Error(describe(path, holder));
    // Whoever takes it over holds a lock for that: two that found the same dead holder must not both succeed.
    const takeover = acquireLock(`${path}-${holder.token.slice(0, 8)}`);
    try {
      if (read(path)?.token === holder.token) {
        replace(path, own);
        return { release: () => release(path, own) };
      }
    } finally {
      takeover.release();
    }
  }
}

/** The file appears with its content, or not at all. */
function create(path: string, holder: Holder): boolean {
  const temporary = write(path, holder);
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function replace(path: string, holder: Holder): void {
  renameSync(write(path, holder), path);
}

function write(path: string, holder: Holder): string {
  const temporary = temporaryName(path);
  writeFileSync(temporary, JSON.stringify(holder));
  return temporary;
}

/** undefined when it has just been given back. */
function read(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(
      `The lock '${path}' cannot be read (${(error as Error).message}). If no process works there, delete it.`,
    );
  }
}

function release(path: string, own: Holder): void {
  if (read(path)?.token === own.token) rmSync(path, { force: true });
}

/** What cannot be told from here counts as running. */
function hasEnded({ pid, host, started, boot }: Holder): boolean {
  if (host !== hostname()) return false;
  const now = originOf(pid);
  if (boot !== null && now.boot !== null && boot !== now.boot) return true;
  if (started !== null && now.boot !== null) return now.started !== started;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function describe(path: string, { pid, host }: Holder): string {
  const where = host === hostname() ? '' : ` on '${host}'`;
  return `Process ${pid}${where} is working in this run directory. Wait for it, or choose another folder with --out; if it has ended, delete '${path}'.`;
}

/** On Linux; null elsewhere, and for a process that is not there. */
function originOf(pid: number): Pick<Holder, 'started' | 'boot'> {
  return { started: startOf(pid), boot: textOf('/proc/sys/kernel/random/boot_id') };
}

function startOf(pid: number): string | null {
  // The name of the program, in brackets, may hold spaces and brackets itself; what follows is state, then 18 fields.
  const afterName = textOf(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
  // A process that has ended and that its parent has not asked about yet.
  if (!afterName || afterName[0] === 'Z') return null;
  return afterName[19] ?? null;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
