import { expect, test } from 'vitest';
import type { PrecisionReport } from '../src/precision/report.ts';
import { bench } from './bench.ts';
import { runStudy } from './study-folder.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench precision: the same recipe in both precisions, measured once', async () => {
  const data = await writeTinyCifar10();
  const options = ['--data', data, '--seeds', '1', '--epochs', '2', '--width', '0.0625'];
  const { report, out, pieces } = await runStudy<PrecisionReport>('precision', options, ['accuracies']);
  expect(pieces).toEqual(['seed-0/float32 ...', 'seed-0/bfloat16 ...']);
  const { float32, bfloat16 } = report.seeds[0]!;
  expect(report.difference).toBe(bfloat16.testAccuracy - float32.testAccuracy);
  // Rounded differently, but the same training.
  expect(bfloat16.loss).not.toBe(float32.loss);
  expect(Math.abs(bfloat16.loss - float32.loss)).toBeLessThan(0.1 * float32.loss);

  const second = await bench('precision', '--json', '--out', out, ...options);
  expect(second.stderr).not.toContain('...');
  expect(JSON.parse(second.stdout)).toEqual(report);
});
