import { describe, expect, it } from 'vitest';
import type { Report } from '../src/comparison/report.ts';
import { findPythonWithTorch } from '../src/python.ts';
import { bench } from './bench.ts';

const python = await findPythonWithTorch().catch(() => undefined);

describe.skipIf(python === undefined)('bench inference (needs a Python with torch)', () => {
  it('measures both sides at every batch size and prints ratios', async () => {
    const what = ['--models', 'resnet20', '--precisions', 'bfloat16', '--batches', '3,1', '--width', '0.0625'];
    const how = ['--seconds', '0.05', '--rounds', '1', '--retries', '0', '--threads', '1'];
    const { code, stdout, stderr } = await bench('inference', '--json', ...what, ...how);
    expect(stderr).toContain('resnet20/bfloat16/1 round 1 PyTorch: ');
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(report.goals).toEqual({ 'resnet20/bfloat16/1': 1.5 });
    expect(Object.keys(report.ratios)).toEqual(['resnet20/bfloat16/3', 'resnet20/bfloat16/1']);
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
