import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ThinnedSeries } from './thinned-series.ts';

const thinned = (values: readonly number[], capacity: number) => {
  const series = new ThinnedSeries(['value'], capacity);
  for (const value of values) series.add({ value });
  return { stretch: series.stretch, values: series.columns().value };
};

it('keeps short series as they are', () => {
  expect(thinned([3, 1, 2], 4)).toEqual({ stretch: 1, values: [3, 1, 2] });
});

it('takes means of pairs, then of fours', () => {
  expect(thinned([1, 3, 5, 7, 10], 4)).toEqual({ stretch: 2, values: [2, 6, 10] });
  expect(thinned([1, 3, 5, 7, 10, 20, 30, 40, 2], 4)).toEqual({ stretch: 4, values: [4, 25, 2] });
});

it('never has more than its capacity, and keeps the mean of all values', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 300 }), (numbers) => {
      const { stretch, values } = thinned(numbers, 8);
      expect(values.length).toBeLessThanOrEqual(8);
      expect(values.length).toBe(Math.ceil(numbers.length / stretch));
      const weights = values.map((_, i) => Math.min(stretch, numbers.length - i * stretch));
      const sum = values.reduce((total, value, i) => total + value * weights[i]!, 0);
      // Five digits of each mean are kept.
      expect(Math.abs(sum - numbers.reduce((a, b) => a + b, 0))).toBeLessThanOrEqual(numbers.length * 0.05);
    }),
    { seed: 1 },
  );
});
