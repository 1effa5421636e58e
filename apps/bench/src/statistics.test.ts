import { expect, test } from 'vitest';
import { mean, median, standardDeviation } from './statistics.ts';

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
