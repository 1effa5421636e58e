import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Outcome } from './outcome.ts';

export interface RunOptions {
  /** How often each example runs. */
  readonly repeats?: number;
  /** Only examples whose code matches it. */
  readonly pattern?: string;
}

/** Runs the examples in a process of their own; `bundle` is that of run.ts. */
export async function runOn(
  backend: 'torch' | 'cpu',
  bundle: URL,
  { repeats = 1, pattern = '' }: RunOptions = {},
): Promise<Outcome[]> {
  const args = [fileURLToPath(bundle), backend, String(repeats), pattern];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout) as Outcome[];
}
