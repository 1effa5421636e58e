import { expect, it } from 'vitest';
import { describeMachine } from '../machine.ts';
import type { Setup } from './protocol.ts';
import type { Result } from './records.ts';
import { buildReport, formatReport } from './report.ts';

const SETUP: Setup = {
  width: 0.375,
  epochs: 15,
  fineTuneEpochs: 1,
  finalTuneEpochs: 3,
  steps: 2,
  scope: 'global',
  normalise: 'usual',
  minFilters: 8,
  maxLayerFraction: 0.6,
};

const base = (seed: number) => ({
  seed,
  validation: 0.9,
  test: 0.88,
  worstClass: 0.7,
  macs: 100,
  parameters: 1000,
  filters: [10, 20],
  seconds: 60,
});

const result = (criterion: string, seed: number, [validation, test]: [number, number], target = 0.5): Result => ({
  criterion,
  seed,
  target,
  validation,
  test,
  worstClass: test - 0.2,
  macs: 50,
  parameters: 400,
  filters: [5, 4],
  steps: [],
  trainingSteps: 10,
  scoringSeconds: 1,
});

const report = buildReport({
  setup: SETUP,
  machine: describeMachine(),
  unpruned: [base(0), base(1)],
  results: [
    result('l1-norm', 0, [0.8, 0.85], 0.7),
    result('l1-norm', 0, [0.84, 0.86]),
    result('l1-norm', 1, [0.82, 0.84]),
    result('relative', 0, [0.88, 0.83]),
  ],
});

it('means over seeds, target by target, with the best validation accuracy first', () => {
  expect(report.summaries.map(({ target, criterion, seeds }) => [target, criterion, seeds])).toEqual([
    [0.5, 'relative', 1],
    [0.5, 'l1-norm', 2],
    [0.7, 'l1-norm', 1],
  ]);
  const norm = report.summaries[1]!;
  expect(norm.validation).toBeCloseTo(0.83, 12);
  expect(norm.test).toBeCloseTo(0.85, 12);
  expect(norm.testDeviation).toBeCloseTo(0.01 * Math.SQRT2, 12);
  expect(norm).toMatchObject({ macsRemoved: 0.5, parametersRemoved: 0.6, thinnestLayer: 0.2 });
});

it('is a table for each target', () => {
  const lines = formatReport(report).split('\n');
  expect(lines[0]).toContain('seeds 0, 1: 2 removal(s)');
  expect(lines.filter((line) => line.endsWith('of the MACs to remove'))).toHaveLength(2);
  expect(lines.find((line) => line.startsWith('l1-norm'))).toMatch(
    /^l1-norm +83\.00 % +85\.00 % ± 1\.41 +65\.00 % +-50\.00 % +-60\.00 % +20\.00 % left$/,
  );
});
