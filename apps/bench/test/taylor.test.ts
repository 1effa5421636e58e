import { expect, test } from 'vitest';
import type { TaylorReport } from '../src/taylor/report.ts';
import { runStudy } from './study-folder.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench taylor: estimates against the exact change, filter by filter', async () => {
  const data = await writeTinyCifar10();
  const what = ['--networks', 'vgg11', '--width', '0.0625', '--seeds', '1', '--epochs', '1'];
  const options = ['--data', data, ...what, '--images-per-class', '3', '--taus', '0,1e-4'];
  const plots = ['vgg11-scatter', 'vgg11-depth', 'vgg11-tau'];
  const { report } = await runStudy<TaylorReport>('taylor', options, plots);
  const [{ filters, losses }] = report.measured as [TaylorReport['measured'][number]];
  // Of VGG-11's 64, 128, 256, 256 and four times 512 filters a sixteenth.
  expect(filters).toHaveLength(4 + 8 + 16 + 16 + 4 * 32);
  expect(losses).toHaveLength(10);
  const names = ['relative', 'taylor', 'reference=0', 'reference=0.0001'];
  for (const { changes, estimates } of filters) {
    expect(Object.keys(estimates).sort()).toEqual([...names].sort());
    expect([changes, ...Object.values(estimates)].every((values) => values.length === 10)).toBe(true);
    expect(Object.values(estimates).every((values) => values.every((value) => value >= 0))).toBe(true);
  }
  expect(report.correlations).toHaveLength(names.length * (1 + 8));
  for (const { rankCorrelation } of report.correlations) expect(Math.abs(rankCorrelation.mean)).toBeLessThanOrEqual(1);
});
