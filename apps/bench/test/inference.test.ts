import { describe, expect, it } from 'vitest';
import type { Report } from '../src/comparison/report.ts';
import { findPythonWithTorch } from '../src/python.ts';
import { bench } from './bench.ts';

const python = await findPythonWithTorch().catch(() => undefined);

describe.skipIf(python === undefined)('bench inference (needs a Python with torch)', () => {
  it('measures both sides of every setting and prints ratios', async () => {
    const what = ['--models', 'resnet20', '--batches', '1', '--width', '0.0625'];
    const how = ['--seconds', '0.05', '--rounds', '1', '--retries', '0', '--threads', '1'];
    const { code, stdout, stderr } = await bench('inference', '--json', ...what, ...how);
    expect(stderr).toContain('resnet20/bfloat16/1/trace round 1 PyTorch: ');
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Report;
    const keys = ['float32', 'bfloat16'].flatMap((precision) =>
      ['predict', 'trace'].map((call) => `resnet20/${precision}/1/${call}`),
    );
    expect(Object.keys(report.ratios)).toEqual(keys);
    expect(report.goals).toEqual(Object.fromEntries(keys.map((key) => [key, 1.5])));
    for (const [key, ratio] of Object.entries(report.ratios)) {
      const [peer, ours] = report.runs.filter((run) => run.key === key);
      expect([peer!.side, ours!.side]).toEqual(['peer', 'ours']);
      expect(ratio).toBeCloseTo(ours!.imagesPerSecond / peer!.imagesPerSecond, 12);
      expect(ours!.parameters).toBe(peer!.parameters);
      expect(ours!.milliseconds.length).toBeGreaterThan(0);
    }
  });
});

it('bench inference refuses a batch of no images', async () => {
  const { code, stderr } = await bench('inference', '--batches', '128,0');
  expect(code).toBe(1);
  expect(stderr).toContain("Expected a whole number of at least 1; got '0'.");
});
