import { expect, test } from 'vitest';
import { findGrowth, type Snapshot } from './growth.ts';

const idle: Snapshot = { tensors: 97, handles: 98, residentBytes: 200e6 };
const training: Snapshot = { tensors: 253, handles: 254, residentBytes: 300e6 };
const steady = { beforeTraining: idle, afterWarmup: training, atEnd: training, afterTraining: idle };

test('equal counts and 2 % more resident memory are no growth', () => {
  const atEnd = { ...training, residentBytes: 306e6 };
  expect(findGrowth({ ...steady, atEnd, afterTraining: { ...idle, residentBytes: 306e6 } })).toEqual([]);
});

test('one tensor more during training is growth', () => {
  expect(findGrowth({ ...steady, atEnd: { ...training, tensors: 254 } })).toEqual([
    'Expected as many tensors at the last step as after warm-up, but 253 became 254.',
  ]);
});

test('one native handle more after training is growth', () => {
  expect(findGrowth({ ...steady, afterTraining: { ...idle, handles: 99 } })).toEqual([
    'Expected as many handles after training as before, but 98 became 99.',
  ]);
});

test('resident memory beyond 2 % is growth', () => {
  expect(findGrowth({ ...steady, atEnd: { ...training, residentBytes: 309e6 } })).toEqual([
    'Expected resident memory to grow by at most 2.0 %, but it was 3.0 %.',
  ]);
});
