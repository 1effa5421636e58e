import { expect, test } from 'vitest';
import { median } from './statistics.ts';

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
