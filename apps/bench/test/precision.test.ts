import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PrecisionReport } from '../src/precision/report.ts';
import { bench } from './bench.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench precision: the same recipe in both precisions, measured once', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), 'precision');
  const data = await writeTinyCifar10();
  const precision = () =>
    bench('precision', '--json', '--data', data, '--out', folder, '--seeds', '1', '--epochs', '2', '--width', '0.0625');

  const first = await precision();
  expect(first.code, first.stderr).toBe(0);
  expect(first.stderr.trim().split('\n')).toEqual(['seed 0: float32 ...', 'seed 0: bfloat16 ...']);
  const { seeds, difference } = JSON.parse(first.stdout) as PrecisionReport;
  const { float32, bfloat16 } = seeds[0]!;
  expect(difference).toBe(bfloat16.testAccuracy - float32.testAccuracy);
  // Rounded differently, but the same training.
  expect(bfloat16.loss).not.toBe(float32.loss);
  expect(Math.abs(bfloat16.loss - float32.loss)).toBeLessThan(0.1 * float32.loss);

  const second = await precision();
  expect([second.code, second.stderr.trim()]).toEqual([0, '']);
  expect((JSON.parse(second.stdout) as PrecisionReport).seeds).toEqual(seeds);
});
