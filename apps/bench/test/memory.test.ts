import { afterEach, expect, test, vi } from 'vitest';
import type { MemoryMeasurement, MemoryOptions } from '../src/memory/growth.ts';
import { bench } from './bench.ts';

afterEach(() => void vi.unstubAllEnvs());

test('bench memory: 500 steps leave tensors, native handles and resident memory where they were', async () => {
  const { code, stdout } = await bench('memory', '--json', '--width', '0.0625', '--batch', '2');
  const report = JSON.parse(stdout) as MemoryMeasurement & { growth: string[]; options: MemoryOptions };
  const { beforeTraining, duringTraining, afterTraining } = report;
  const counts = ({ tensors, handles }: typeof beforeTraining) => ({ tensors, handles });
  expect(report.options.steps).toBe(500);
  expect(duringTraining).toHaveLength(21);
  const [afterWarmup] = duringTraining;
  for (const look of duringTraining) expect(counts(look)).toEqual(counts(afterWarmup!));
  expect(counts(afterTraining)).toEqual(counts(beforeTraining));
  // 19 convolutions, 19 batch norms of four weights, and a dense layer of two.
  expect(beforeTraining.tensors).toBe(19 + 19 * 4 + 2);
  expect(afterWarmup!.tensors).toBeGreaterThan(beforeTraining.tensors);
  // Resident memory grew by at most 2 %.
  expect(report.growth).toEqual([]);
  expect(code).toBe(0);
});

test('bench memory: half a megabyte that every look finds gone is growth', async () => {
  const leak = new URL('leak-at-each-look.mjs', import.meta.url);
  vi.stubEnv('NODE_OPTIONS', `${process.env.NODE_OPTIONS ?? ''} --import=${leak}`);
  const { code, stdout } = await bench(
    'memory',
    '--width',
    '0.0625',
    '--batch',
    '2',
    '--warmup',
    '20',
    '--steps',
    '60',
  );
  // 10 MiB of about 300.
  expect(stdout).toMatch(/^Expected resident memory to grow by at most 2\.0 %, but it was [345]\.\d %\.$/m);
  expect(code).toBe(1);
});
