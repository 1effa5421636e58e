import { expect, it } from 'vitest';
import { buildReport, presentReport } from './report.ts';

const setup = { width: 0.25, epochs: 6 };
const record = (testAccuracy: number) => ({ testAccuracy, loss: 1 });
const seedsOf = (pairs: [number, number][]) =>
  pairs.map(([float32, bfloat16], seed) => ({ seed, float32: record(float32), bfloat16: record(bfloat16) }));

it('compares the difference of the means with the standard deviation over seeds', () => {
  const agreeing = buildReport(
    seedsOf([
      [0.8, 0.81],
      [0.82, 0.8],
      [0.84, 0.84],
    ]),
    setup,
  );
  expect(agreeing.difference).toBeCloseTo(-0.01 / 3, 12);
  expect(agreeing.standardDeviation).toBeCloseTo(0.02, 12);
  expect(agreeing.agree).toBe(true);
  expect(presentReport(agreeing).text).toContain('bfloat16 - float32: -0.33 points');

  const apart = buildReport(
    seedsOf([
      [0.8, 0.77],
      [0.81, 0.78],
    ]),
    setup,
  );
  expect(apart.agree).toBe(false);
  expect(presentReport(apart).text).toContain('differ by more than that');
});
