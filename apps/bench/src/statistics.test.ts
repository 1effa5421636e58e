import { expect, test } from 'vitest';
import { bimodality, fitExponent, mean, median, rankCorrelation, standardDeviation } from './statistics.ts';

test('the median is the middle value, or the mean of the two middle ones', () => {
  expect(median([7])).toBe(7);
  expect(median([30, 4, 5])).toBe(5);
  expect(median([100, 2, 9, 4])).toBe(6.5);
});

test('the median sorts numbers as numbers and leaves its argument alone', () => {
  const values = [10, 9, 1000];
  expect(median(values)).toBe(10);
  expect(values).toEqual([10, 9, 1000]);
});

test('no values have no median', () => {
  expect(() => median([])).toThrow('Expected at least one value to take the median of, but got none.');
});

test('the standard deviation is that of a sample', () => {
  expect(mean([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
  expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12);
  expect(standardDeviation([3])).toBe(0);
  expect(() => standardDeviation([])).toThrow('Expected at least one value to take the mean of, but got none.');
});

test('rank correlation looks at the order alone, and shares the ranks of equal values', () => {
  expect(rankCorrelation([1, 2, 3, 4], [1, 10, 100, 1000])).toBe(1);
  expect(rankCorrelation([1, 2, 3], [9, 5, 1])).toBe(-1);
  // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / sqrt(4.5 * 5).
  expect(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBe(0);
  expect(() => rankCorrelation([1], [1, 2])).toThrow('got 1 and 2 values');
});

test('bimodality is high for two heaps and low for one', () => {
  const uniform = Array.from({ length: 10_000 }, (_, i) => i);
  const heaps = uniform.map((i) => (i < 5000 ? 0 : 10) + (i % 10) / 100);
  expect(bimodality(uniform)).toBeCloseTo(5 / 9, 3);
  expect(bimodality(heaps)).toBeCloseTo(1, 2);
  // Sums of uniform values are nearly normal.
  const bell = uniform.map((i) => [7, 31, 101, 211, 307, 401].reduce((sum, k) => sum + ((i * k * k) % 9973), 0));
  expect(bimodality(bell)).toBeLessThan(0.4);
  expect(bimodality([3, 3, 3, 3])).toBe(0);
  expect(() => bimodality([1, 2, 3])).toThrow('at least four values');
});

test('an exponent is the slope of logarithms', () => {
  expect(fitExponent([1, 2, 5, 9].map((x) => [x, 3 * x ** 1.5]))).toBeCloseTo(1.5, 12);
  expect(() =>
    fitExponent([
      [1, 2],
      [1, 3],
    ]),
  ).toThrow('two different sizes');
  expect(() =>
    fitExponent([
      [1, 2],
      [2, 0],
    ]),
  ).toThrow('greater than 0');
});
