import { expect, test } from 'vitest';
import type { ScalingReport } from '../src/scaling/report.ts';
import { runStudy } from './study-folder.ts';

test('bench scaling: fits exponents along an axis', async () => {
  const sizes = ['--axes', 'classes', '--classes', '2,6', '--width', '0.0625'];
  const options = [...sizes, '--images-per-class', '2', '--repeats', '1'];
  const { report } = await runStudy<ScalingReport>('scaling', options, ['time-classes', 'memory-classes']);
  const of = (work: string) => report.measured.filter((point) => point.work === work);
  expect(of('scoring').map(({ size, images }) => [size, images])).toEqual([
    [2, 4],
    [6, 12],
  ]);
  for (const { work, milliseconds, filters, macs } of report.measured) {
    expect(milliseconds).toHaveLength(work === 'surgery' ? 5 : 1);
    expect(milliseconds[0]).toBeGreaterThan(0);
    // Seven convolutions of one, six of two and six of four filters.
    expect(filters).toBe(7 + 12 + 24);
    expect(macs).toBeGreaterThan(1e5);
  }
  expect(report.growths.map(({ work }) => work)).toEqual(['scoring', 'surgery']);
  for (const { time } of report.growths) expect(Number.isFinite(time)).toBe(true);
});
