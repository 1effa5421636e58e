import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bench } from './bench.ts';

/** Runs a study into a new folder, and returns its report, what it wrote beside it, and what it said it measured. */
export async function runStudy<Report>(name: string, args: readonly string[], plots: readonly string[]) {
  const out = join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), name);
  const { code, stdout, stderr } = await bench(name, '--json', '--out', out, ...args);
  expect(code, stderr).toBe(0);
  const report = JSON.parse(stdout) as Report & { environments: { threads: number; libtorch: string }[] };
  expect(JSON.parse(await readFile(join(out, 'report.json'), 'utf8'))).toEqual(report);
  expect(report.environments[0]!.threads).toBe(1);
  const text = await readFile(join(out, 'report.txt'), 'utf8');
  expect(text).toContain(`libtorch ${report.environments[0]!.libtorch}`);
  for (const plot of plots) expect(await readFile(join(out, `${plot}.svg`), 'utf8')).toContain('<circle');
  return { report, text, out, pieces: stderr.split('\n').filter((line) => line.endsWith('...')) };
}

/** So small that a network trains in a second. */
export const TINY_NETWORK = ['--seeds', '1', '--epochs', '1', '--final-tune-epochs', '1', '--min-filters', '1'];
