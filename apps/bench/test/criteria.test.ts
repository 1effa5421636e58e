import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CriteriaReport } from '../src/criteria/report.ts';
import { bench } from './bench.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench criteria: equal MACs and steps for every criterion, and what is measured is not measured again', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), 'criteria');
  const data = await writeTinyCifar10();
  const sizes = [
    '--width',
    '0.0625',
    '--min-filters',
    '1',
    '--epochs',
    '1',
    '--steps',
    '2',
    '--final-tune-epochs',
    '2',
  ];
  const criteria = (...more: string[]) =>
    bench('criteria', '--json', '--data', data, '--out', folder, '--seeds', '1', '--targets', '0.4', ...sizes, ...more);

  const first = await criteria('--criteria', 'l1-norm');
  expect(first.code, first.stderr).toBe(0);
  expect(first.stderr.trim().split('\n')).toEqual(['seed 0: base ...', 'seed 0: l1-norm-0.4 ...']);
  const second = await criteria('--criteria', 'l1-norm,graded=1');
  expect(second.code, second.stderr).toBe(0);
  expect(second.stderr.trim()).toBe('seed 0: graded=1-0.4 ...');

  const { results, unpruned, summaries } = JSON.parse(second.stdout) as CriteriaReport;
  const [{ macs, filters }] = unpruned as [CriteriaReport['unpruned'][number]];
  expect(results.map(({ criterion }) => criterion)).toEqual(['l1-norm', 'graded=1']);
  for (const result of results) {
    expect(result.macs).toBeLessThanOrEqual(0.6 * macs);
    expect(result.macs).toBeGreaterThan(0.5 * macs);
    expect(result.steps.map((step) => step.macs <= 0.8 * macs)).toEqual([true, true]);
    // One epoch and two, of two batches each.
    expect(result.trainingSteps).toBe(2 * (1 + 2));
    expect(result.filters.length).toBe(filters.length);
    expect(result.filters.every((left, i) => left >= 1 && left <= filters[i]!)).toBe(true);
  }
  expect(results[0]).toEqual((JSON.parse(first.stdout) as CriteriaReport).results[0]);
  expect(summaries.map(({ target, seeds }) => [target, seeds])).toEqual([
    [0.4, 1],
    [0.4, 1],
  ]);

  const other = await criteria('--scope', 'layer');
  expect(other.code).toBe(1);
  expect(other.stderr).toContain('holds results for scope = global, but now it is layer.');
});
