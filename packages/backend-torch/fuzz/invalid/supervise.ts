// Runs child.ts, and says which call it died of.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mode } from './child.ts';

const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
/** A call takes milliseconds, and the start seconds; nothing is written for as long as this only if one hangs, on any machine. */
const HANGS_AFTER_MS = 300_000;
/** Far more than any call needs, and less than would make the system choose a victim. */
const MOST_RESIDENT_BYTES = 6 * 2 ** 30;
const MOST_FINDINGS = 10;

export interface Finding {
  readonly mode: Mode;
  readonly reason: string;
  /** The calls under way, as the child wrote them down: `number function(arguments)`. */
  readonly calls: readonly string[];
}

interface Request {
  readonly calls: number;
  readonly seed: number;
  readonly from?: number;
}

/** Makes the calls; after a crash goes on behind the one that crashed. */
export async function supervise(mode: Mode, { calls, seed, from = 0 }: Request): Promise<Finding[]> {
  const findings: Finding[] = [];
  const end = from + calls;
  for (let next = from; next < end && findings.length < MOST_FINDINGS; ) {
    const finding = await attempt(mode, seed, next, end - next);
    if (!finding) return findings;
    findings.push(finding);
    const number = Number.parseInt(finding.calls[0] ?? '', 10);
    // Of threads that ran side by side none is known to be the one; start over elsewhere.
    if (mode === 'workers' || !(number >= next)) return findings;
    next = number + 1;
  }
  return findings;
}

async function attempt(mode: Mode, seed: number, from: number, count: number): Promise<Finding | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'torch-fuzz-'));
  const log = join(folder, 'calls');
  try {
    const reason = await runChild([mode, String(seed), String(from), String(count), log]);
    return reason === undefined ? undefined : { mode, reason, calls: lastCalls(log) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What went wrong, or undefined. */
function runChild(args: readonly string[]): Promise<string | undefined> {
  const options = ['--conditions=@secateur/source', '--import', 'tsx', CHILD, ...args];
  const child = spawn(process.execPath, options, {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, OMP_NUM_THREADS: '2' },
  });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr = (stderr + text).slice(-4000);
  });
  let killedFor: string | undefined;
  const kill = (reason: string) => {
    killedFor = reason;
    child.kill('SIGKILL');
  };
  let written = '';
  let writtenAt = Date.now();
  const watch = setInterval(() => {
    const calls = lastCalls(args.at(-1)!).join();
    if (calls !== written) {
      written = calls;
      writtenAt = Date.now();
    }
    if (Date.now() - writtenAt > HANGS_AFTER_MS) kill('hangs');
    if (residentBytes(child.pid) > MOST_RESIDENT_BYTES) kill('takes gigabytes of memory');
  }, 100);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(watch);
      if (code === 0) resolve(undefined);
      else resolve(killedFor ?? `ends with ${signal ?? `exit code ${code}`}: ${stderr.trim()}`);
    });
  });
}

function lastCalls(log: string): string[] {
  return [log, ...[0, 1, 2, 3].map((worker) => `${log}.${worker}`)]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8').split('\n')[0]!);
}

/** 0 where the system does not tell. */
function residentBytes(pid: number | undefined): number {
  try {
    const [, resident] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
    return Number(resident) * 4096;
  } catch {
    return 0;
  }
}
