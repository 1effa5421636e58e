import { describe, expect, it } from 'vitest';
import type { Report } from '../src/comparison/report.ts';
import { findPythonWithTorch } from '../src/python.ts';
import type { CeilingReport } from '../src/train-step/ceiling.ts';
import type { TrainingMeasurement } from '../src/train-step/setting.ts';
import { bench } from './bench.ts';

const python = await findPythonWithTorch().catch(() => undefined);

const TINY = ['--width', '0.0625', '--batch', '4', '--warmup', '1', '--steps', '2', '--rounds', '1', '--retries', '0'];

describe.skipIf(python === undefined)('bench train-step (needs a Python with torch)', () => {
  it('measures both sides and prints ratios, every run and the machine', async () => {
    const models = ['--models', 'vgg16,resnet20', '--precisions', 'bfloat16', '--objectives', 'full', '--threads', '1'];
    const { code, stdout, stderr } = await bench('train-step', '--json', ...models, ...TINY);
    expect(stderr).toContain('vgg16/bfloat16/full round 1 PyTorch: ');
    expect(code).toBe(0);

    const report = JSON.parse(stdout) as Report;
    expect(Object.keys(report.ratios)).toEqual(['vgg16/bfloat16/full', 'resnet20/bfloat16/full']);
    expect(report.runs.map(({ key, side }) => `${key} ${side}`)).toEqual([
      'vgg16/bfloat16/full peer',
      'vgg16/bfloat16/full ours',
      'resnet20/bfloat16/full peer',
      'resnet20/bfloat16/full ours',
    ]);
    for (const run of report.runs) {
      expect(run.milliseconds).toHaveLength(2);
      expect(run.imagesPerSecond).toBeCloseTo((8 * 1000) / (run.milliseconds[0]! + run.milliseconds[1]!), 6);
      expect(run.busyCpus).toBeGreaterThan(0);
      expect(run.peakBytes).toBeGreaterThan(50e6);
      // Cross entropy of 10 classes starts near ln 10; the regularisers of so narrow a network add little.
      const { loss } = run as typeof run & TrainingMeasurement;
      expect(loss).toBeGreaterThan(1);
      expect(loss).toBeLessThan(5);
    }
    for (const [key, ratio] of Object.entries(report.ratios)) {
      const [peer, ours] = report.runs.filter((run) => run.key === key);
      expect(ratio).toBeCloseTo(ours!.imagesPerSecond / peer!.imagesPerSecond, 12);
      expect(ours!.parameters).toBe(peer!.parameters);
    }
    expect(report.machine.engines).toHaveLength(2);
    expect(report.machine.processors).toBeGreaterThan(0);
    expect(report.options).toMatchObject({ width: 0.0625, batch: 4, threads: 1 });
  });
});

describe('bench train-step', () => {
  it('says what to install when there is no torch', async () => {
    const { code, stderr, stdout } = await bench('train-step', '--python', 'no-such-python');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^bench: Expected a Python with PyTorch .*no-such-python.*"apt-get install python3-torch"/m);
    expect(stdout).toBe('');
  });

  it('refuses an unknown network by naming the known ones', async () => {
    const { code, stderr } = await bench('train-step', '--models', 'vgg16,alexnet');
    expect(code).toBe(1);
    expect(stderr).toContain("Expected vgg16, resnet56, resnet20; got 'alexnet'.");
  });
});

it("bench train-step --ceiling prints the convolutions' share of a step", async () => {
  const tiny = ['--models', 'resnet20', '--objectives', 'plain', '--threads', '1', ...TINY];
  const { code, stdout } = await bench('train-step', '--ceiling', '--json', ...tiny);
  expect(code).toBe(0);
  const { shares, runs } = JSON.parse(stdout) as CeilingReport;
  expect(runs).toHaveLength(2);
  expect(Object.keys(shares)).toEqual(['resnet20/float32/plain', 'resnet20/bfloat16/plain']);
  for (const { stepMs, primitivesMs, ownMs, share } of Object.values(shares)) {
    expect(primitivesMs).toBeGreaterThan(0);
    expect(share).toBeCloseTo((primitivesMs + ownMs) / stepMs, 12);
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
  }
});
