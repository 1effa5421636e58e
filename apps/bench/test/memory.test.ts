import { expect, test } from 'vitest';
import type { MemoryMeasurement } from '../src/memory/growth.ts';
import { bench } from './bench.ts';

test('bench memory: 40 steps leave tensors and native handles where they were', async () => {
  const tiny = ['--width', '0.0625', '--batch', '2', '--warmup', '10', '--steps', '40'];
  const { code, stdout } = await bench('memory', '--json', ...tiny);
  const report = JSON.parse(stdout) as MemoryMeasurement & { growth: string[]; residentGrowth: number };
  const { beforeTraining, afterWarmup, atEnd, afterTraining } = report;
  const counts = ({ tensors, handles }: typeof atEnd) => ({ tensors, handles });
  expect(counts(atEnd)).toEqual(counts(afterWarmup));
  expect(counts(afterTraining)).toEqual(counts(beforeTraining));
  // 19 convolutions, 19 batch norms of four weights, and a dense layer of two.
  expect(beforeTraining.tensors).toBe(19 + 19 * 4 + 2);
  expect(afterWarmup.tensors).toBeGreaterThan(beforeTraining.tensors);
  // So few steps may leave resident memory unsettled; the exit code must say so.
  expect(code).toBe(report.growth.length > 0 ? 1 : 0);
});
