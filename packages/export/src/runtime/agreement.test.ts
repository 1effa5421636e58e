import { describe, expect, it } from 'vitest';
import { LogitComparison } from './agreement.ts';

function compare(...tables: readonly [expected: Float32Array, actual: Float32Array][]) {
  const comparison = new LogitComparison(0.1);
  for (const [expected, actual] of tables) comparison.add(expected, actual, 3);
  return comparison.agreement;
}

describe('LogitComparison', () => {
  it('measures the differences and counts classes', () => {
    const expected = Float32Array.of(1, 2, 3, 5, 0, 0);
    const actual = Float32Array.of(1, 2, 2.5, 4, 0, 0.25);
    const { meanAbsDifference, ...rest } = compare([expected, actual]);
    expect(rest).toEqual({
      maxAbsDifference: 1,
      // 1 / (1 + 5) is less than 0.25 / (1 + 0).
      maxScaledDifference: 0.25,
      predictions: 2,
      sameClass: 2,
      ties: 0,
      differentClass: 0,
    });
    expect(meanAbsDifference).toBeCloseTo(1.75 / 6, 12);
  });

  it('adds up over tables', () => {
    const one = Float32Array.of(0, 1, 2);
    const { meanAbsDifference, ...rest } = compare([one, one], [one, Float32Array.of(3, 1, 2)]);
    expect(rest).toMatchObject({ predictions: 2, sameClass: 1, maxAbsDifference: 3 });
    expect(meanAbsDifference).toBe(0.5);
  });

  it('forgives another class only where the two best logits are closer than twice the tolerance allows', () => {
    // 2 * 0.1 * (1 + 1.125) = 0.425 and 2 * 0.1 * (1 + 1.5) = 0.5
    const expected = Float32Array.of(0, 1.125, 0.75, 0, 1.5, 0.875);
    const actual = Float32Array.of(0, 1, 1.125, 0, 1, 1.25);
    expect(compare([expected, actual])).toMatchObject({ sameClass: 0, ties: 1, differentClass: 1 });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('takes %s for an infinite difference, and keeps it', (wrong) => {
    const { maxAbsDifference } = compare([Float32Array.of(1, 0, 0), Float32Array.of(wrong, 0, 1)]);
    expect(maxAbsDifference).toBe(Number.POSITIVE_INFINITY);
  });
});
