import { describe, expect, it } from 'vitest';
import { compareLogits } from './agreement.ts';

const options = { classes: 3, tolerance: 0.1 };

describe('compareLogits', () => {
  it('measures the differences and counts classes', () => {
    const expected = Float32Array.of(1, 2, 3, 5, 0, 0);
    const actual = Float32Array.of(1, 2, 2.5, 4, 0, 0.25);
    const { meanAbsDifference, ...rest } = compareLogits(expected, actual, options);
    expect(rest).toEqual({
      maxAbsDifference: 1,
      // 1 / (1 + 5) is less than 0.25 / (1 + 0).
      maxScaledDifference: 0.25,
      sameClass: 2,
      ties: 0,
      differentClass: 0,
    });
    expect(meanAbsDifference).toBeCloseTo(1.75 / 6, 12);
  });

  it('forgives another class only where the two best logits are closer than twice the tolerance allows', () => {
    // 2 * 0.1 * (1 + 1.125) = 0.425 and 2 * 0.1 * (1 + 1.5) = 0.5
    const expected = Float32Array.of(0, 1.125, 0.75, 0, 1.5, 0.875);
    const actual = Float32Array.of(0, 1, 1.125, 0, 1, 1.25);
    expect(compareLogits(expected, actual, options)).toMatchObject({ sameClass: 0, ties: 1, differentClass: 1 });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('takes %s for an infinite difference, and keeps it', (wrong) => {
    const { maxAbsDifference } = compareLogits(Float32Array.of(1, 0, 0), Float32Array.of(wrong, 0, 1), options);
    expect(maxAbsDifference).toBe(Number.POSITIVE_INFINITY);
  });
});
