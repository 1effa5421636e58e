import { expect, test } from 'vitest';
import { findWear } from './endurance.ts';

const steady = { tensors: 50, handles: 40, residentBytes: 200e6, imagesPerSecond: 1000 };

test('steady counts, memory and speed are no wear, within one and five percent', () => {
  expect(findWear({ snapshots: [steady, { ...steady, residentBytes: 201.9e6, imagesPerSecond: 951 }] })).toEqual([]);
});

test('each thing that wears is a sentence', () => {
  const worn = { tensors: 50, handles: 41, residentBytes: 206e6, imagesPerSecond: 900 };
  expect(findWear({ snapshots: [steady, worn] })).toEqual([
    'Expected as many handles all the time, but got 40,41.',
    'Expected resident memory to grow by at most 1.0 %, but it was 3.0 %.',
    'Expected the last tenth to be at most 5.0 % slower than the first, but it was 10.0 %.',
  ]);
});

test('a count that came and went is wear too', () => {
  expect(findWear({ snapshots: [steady, { ...steady, tensors: 51 }, steady] })).toEqual([
    'Expected as many tensors all the time, but got 50,51,50.',
  ]);
});
