import { describe, expect, it } from 'vitest';
import type { Setup } from './protocol.ts';
import type { SeedRecords, VariantRecord } from './records.ts';
import { buildReport, presentReport } from './report.ts';

const SETUP: Setup = {
  width: 0.5,
  epochs: 9,
  fineTuneEpochs: 1,
  finalTuneEpochs: 3,
  target: 0.5,
  batches: 10,
  teacherWeight: 0.9,
  temperature: 4,
};

const record = (validationAccuracy: number, teacherSeconds = 0): VariantRecord => ({
  macs: 40,
  afterRemoval: [validationAccuracy / 2, validationAccuracy / 4],
  validationAccuracy,
  testAccuracy: validationAccuracy - 0.1,
  steps: 80,
  seconds: 20,
  teacherSeconds,
});

const SEEDS: SeedRecords[] = [
  {
    seed: 0,
    base: { testAccuracy: 0.9, macs: 100, seconds: 50 },
    variants: { plain: record(0.8), distillation: record(0.84, 6), momentum: record(0.8) },
  },
  {
    seed: 1,
    base: { testAccuracy: 0.92, macs: 100, seconds: 50 },
    variants: { plain: record(0.84), distillation: record(0.86, 8), momentum: record(0.82) },
  },
];
const VARIANTS = ['plain', 'distillation', 'momentum'] as const;

describe('the report on keeping accuracy', () => {
  const report = buildReport(SEEDS, { recipe: SETUP, variants: VARIANTS });

  it('compares each variant with the plain one of the same seed, and keeps what did not help', () => {
    const [plain, distillation, momentum] = report.variants;
    expect(plain!.validationAccuracy.mean).toBeCloseTo(0.82, 12);
    expect(plain!.testAccuracy.mean).toBeCloseTo(0.72, 12);
    expect(plain!.gain).toEqual({ mean: 0, standardDeviation: 0, seeds: 2, better: 0 });
    expect(distillation!.gain!.mean).toBeCloseTo(0.03, 12);
    expect(distillation!.gain!.standardDeviation).toBeCloseTo(0.01 * Math.SQRT2, 12);
    expect(distillation!.gain!.better).toBe(2);
    expect(distillation!.teacherSeconds).toBe(7);
    expect(momentum!.gain!.mean).toBeCloseTo(-0.01, 12);
    expect(momentum!.gain!.better).toBe(0);
    expect(plain!.afterRemoval).toBeCloseTo((0.4 + 0.2 + 0.42 + 0.21) / 4, 12);
    expect(report.macsRemoved).toEqual([0.6, 0.6]);
    expect(report.unpruned.mean).toBeCloseTo(0.91, 12);
  });

  it('is a table with a line for each', () => {
    const lines = presentReport(report).text.split('\n');
    expect(lines.find((line) => line.startsWith('distillation'))).toMatch(
      /^distillation +85\.00 % ± 1\.41 +\+3\.00 ± 1\.41 +2 of 2 +31\.88 % +75\.00 % ± 1\.41 +20 s +7 s$/,
    );
    expect(lines.find((line) => line.startsWith('momentum'))).toMatch(/-1\.00 ± 1\.41 +0 of 2 .* -$/);
    expect(lines.find((line) => line.startsWith('plain'))).toMatch(/^plain +82\.00 % ± 2\.83 +- +- /);
  });

  it('has no comparison where the plain variant is missing', () => {
    const seeds = SEEDS.map(({ variants: { plain: _, ...variants }, ...rest }) => ({ ...rest, variants }));
    const { variants } = buildReport(seeds, { recipe: SETUP, variants: ['momentum'] });
    expect(variants[0]!.gain).toBeUndefined();
  });
});
