import { expect, it } from 'vitest';
import { buildReport, type MeasuredNetwork, type MeasuredRemoval, presentReport } from './report.ts';

const network = (seed: number, test: number): MeasuredNetwork => ({
  seed,
  validation: 0.9,
  test,
  worstClass: 0.7,
  macs: 100,
  parameters: 1000,
  filters: [10, 20],
  epochs: 1,
  removed: 0,
});

const removal = (
  criterion: string,
  seed: number,
  { target, validation, test }: Pick<MeasuredRemoval, 'target' | 'validation' | 'test'>,
): MeasuredRemoval => ({
  ...network(seed, test),
  criterion,
  target,
  validation,
  worstClass: test - 0.2,
  macs: 100 * (1 - target),
  parameters: 400,
  filters: [5, 4],
  removed: 21,
});

const report = buildReport({
  targets: [0.5, 0.7],
  unpruned: [network(0, 0.88), network(1, 0.88)],
  longer: [network(0, 0.87), network(0, 0.88), network(1, 0.89), network(1, 0.9)],
  removals: [
    removal('l1-norm', 0, { target: 0.5, validation: 0.84, test: 0.86 }),
    removal('l1-norm', 0, { target: 0.7, validation: 0.8, test: 0.85 }),
    removal('l1-norm', 1, { target: 0.5, validation: 0.82, test: 0.84 }),
    removal('l1-norm', 1, { target: 0.7, validation: 0.8, test: 0.85 }),
    removal('relative', 0, { target: 0.5, validation: 0.88, test: 0.83 }),
    removal('relative', 0, { target: 0.7, validation: 0.7, test: 0.7 }),
  ],
});

it('means over seeds, target by target, with the best validation accuracy first', () => {
  expect(report.summaries.map(({ target, criterion, seeds }) => [target, criterion, seeds])).toEqual([
    [0.5, 'relative', 1],
    [0.5, 'l1-norm', 2],
    [0.7, 'l1-norm', 2],
    [0.7, 'relative', 1],
  ]);
  const norm = report.summaries[1]!;
  expect(norm.validation).toBeCloseTo(0.83, 12);
  expect(norm.test.mean).toBeCloseTo(0.85, 12);
  expect(norm.test.standardDeviation).toBeCloseTo(0.01 * Math.SQRT2, 12);
  expect(norm).toMatchObject({ macsRemoved: 0.5, parametersRemoved: 0.6, thinnestLayer: 0.2 });
});

it('compares with the network of the same seed that was trained for as long', () => {
  const [, at50, at70] = report.summaries;
  // -0.01 and -0.05; -0.03 and -0.05.
  expect(at50!.difference.mean).toBeCloseTo(-0.03, 12);
  expect(at50!.difference.standardDeviation).toBeCloseTo(0.02 * Math.SQRT2, 12);
  expect(at70!.difference.mean).toBeCloseTo(-0.04, 12);
});

it('is a table for each target', () => {
  const { text, plots } = presentReport(report);
  const lines = text.split('\n');
  expect(lines[0]).toContain('seeds 0, 1');
  expect(lines.filter((line) => line.includes('of the MACs to remove'))).toHaveLength(2);
  expect(lines.find((line) => line.startsWith('l1-norm'))).toMatch(
    /^l1-norm +83\.00 % +85\.00 % ± 1\.41 +-3\.00 ± 2\.83 +65\.00 % +-50\.00 % +-60\.00 % +20\.00 % left$/,
  );
  expect(text).toContain(
    '70.00 % of the MACs to remove; unpruned and trained as long: validation 90.00 %, test 89.00 % ± 1.41',
  );
  // Three series of two points and their keys.
  expect(plots.accuracy!.match(/<circle/g)).toHaveLength(3 * 3);
});
