import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CriteriaReport } from '../src/criteria/report.ts';
import { bench } from './bench.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench criteria: equal MACs and epochs for every criterion, and what is measured is not measured again', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), 'criteria');
  const data = await writeTinyCifar10();
  const network = ['--network', 'vgg11', '--width', '0.0625', '--min-filters', '1', '--epochs', '1', '--seeds', '1'];
  const criteria = (...more: string[]) =>
    bench('criteria', '--json', '--data', data, '--out', folder, '--targets', '0.4,0.2', ...network, ...more);

  const first = await criteria('--criteria', 'graded=1');
  expect(first.code, first.stderr).toBe(0);
  expect(first.stderr).toContain('at most 5 epochs');
  expect(first.stderr.split('\n').filter((line) => line.endsWith('...'))).toEqual(
    ['base', 'trained-as-long/0.2', 'trained-as-long/0.4', 'graded=1/0.2', 'graded=1/0.4'].map(
      (name) => `seed-0/${name} ...`,
    ),
  );
  const { removals, unpruned, longer, summaries } = JSON.parse(first.stdout) as CriteriaReport;
  const [{ macs, filters }] = unpruned as [CriteriaReport['unpruned'][number]];
  expect(removals.map(({ criterion, target }) => [criterion, target])).toEqual([
    ['graded=1', 0.2],
    ['graded=1', 0.4],
  ]);
  for (const removal of removals) {
    expect(removal.macs).toBeLessThanOrEqual((1 - removal.target) * macs);
    expect(removal.macs).toBeGreaterThan((0.9 - removal.target) * macs);
    expect(removal.epochs).toBe(1);
    expect(removal.filters.every((left, i) => left >= 1 && left <= filters[i]!)).toBe(true);
  }
  expect(longer.map((one) => [one.epochs, one.macs])).toEqual([
    [1, macs],
    [1, macs],
  ]);
  expect(summaries.map(({ target, seeds }) => [target, seeds])).toEqual([
    [0.2, 1],
    [0.4, 1],
  ]);
  expect(await readFile(join(folder, 'accuracy.svg'), 'utf8')).toContain('graded=1');

  const again = await criteria('--criteria', 'graded=1');
  expect(again.stderr).not.toContain('...');
  expect(again.stdout).toBe(first.stdout);

  const other = await criteria('--scope', 'layer');
  expect(other.code).toBe(1);
  expect(other.stderr).toContain('holds results for scope = global, but now it is layer.');
});
