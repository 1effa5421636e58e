import { expect, test } from 'vitest';
import type { MemoryMeasurement, MemoryOptions } from '../src/memory/growth.ts';
import { bench } from './bench.ts';

test('bench memory: 500 steps leave tensors, native handles and resident memory where they were', async () => {
  const { code, stdout } = await bench('memory', '--json', '--width', '0.0625', '--batch', '2');
  const report = JSON.parse(stdout) as MemoryMeasurement & { growth: string[]; options: MemoryOptions };
  const { beforeTraining, afterWarmup, atEnd, afterTraining } = report;
  const counts = ({ tensors, handles }: typeof atEnd) => ({ tensors, handles });
  expect(report.options.steps).toBe(500);
  expect(counts(atEnd)).toEqual(counts(afterWarmup));
  expect(counts(afterTraining)).toEqual(counts(beforeTraining));
  // 19 convolutions, 19 batch norms of four weights, and a dense layer of two.
  expect(beforeTraining.tensors).toBe(19 + 19 * 4 + 2);
  expect(afterWarmup.tensors).toBeGreaterThan(beforeTraining.tensors);
  // Resident memory grew by at most 2 %.
  expect(report.growth).toEqual([]);
  expect(code).toBe(0);
});
