import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { KeepingReport } from '../src/keeping/report.ts';
import { bench } from './bench.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench keeping: equal MACs and steps for every variant, and what is measured is not measured again', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), 'keeping');
  const data = await writeTinyCifar10();
  const options = [
    '--epochs',
    '2',
    '--final-tune-epochs',
    '2',
    '--width',
    '0.0625',
    '--target',
    '0.4',
    '--batches',
    '1',
  ];
  const keeping = (...more: string[]) =>
    bench('keeping', '--json', '--data', data, '--out', folder, '--seeds', '1', ...options, ...more);

  const first = await keeping('--variants', 'plain');
  expect(first.code, first.stderr).toBe(0);
  const pieces = (stderr: string) => stderr.split('\n').filter((line) => line.endsWith('...'));
  expect(pieces(first.stderr)).toEqual(['seed-0/base ...', 'seed-0/plans ...', 'seed-0/plain ...']);
  const second = await keeping('--variants', 'plain,all');
  expect(second.code, second.stderr).toBe(0);
  expect(pieces(second.stderr)).toEqual(['seed-0/all ...']);

  const report = JSON.parse(second.stdout) as KeepingReport;
  const { base, variants } = report.seeds[0]!;
  const { plain, all } = variants;
  expect(plain).toEqual((JSON.parse(first.stdout) as KeepingReport).seeds[0]!.variants.plain);
  expect(all!.macs).toBe(plain!.macs);
  expect(plain!.macs).toBeLessThanOrEqual(0.6 * base.macs);
  expect(all!.steps).toBe(plain!.steps);
  // One epoch after each removal but the last, two after that, of two batches each.
  expect(plain!.steps).toBe(2 * (plain!.afterRemoval.length - 1 + 2));
  expect([plain!.teacherSeconds === 0, all!.teacherSeconds > 0]).toEqual([true, true]);
  expect(report.variants.map(({ gain }) => gain!.mean)).toEqual([
    0,
    all!.validationAccuracy - plain!.validationAccuracy,
  ]);

  const other = await keeping('--width', '0.125');
  expect(other.code).toBe(1);
  expect(other.stderr).toContain('holds results for width = 0.0625, but now it is 0.125.');
});
