import '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { measureKnownImportance } from './measure.ts';
import type { Planting, Task } from './planting.ts';
import { orderedShare } from './report.ts';

const PLANTING: Planting = { classes: 10, filters: 10, imagesPerClass: 5, size: 6, noise: 0, seed: 0 };

const measure = (planting: Partial<Planting>, options: Partial<Task> = {}) =>
  measureKnownImportance({
    planting: { ...PLANTING, ...planting },
    readout: 'planted',
    epochs: 10,
    criteria: ['reference', 'relative', 'graded', 'l1-norm'],
    ...options,
  });

beforeAll(() => tf.setBackend('torch'));

describe('filters planted for one, several and all classes', () => {
  it.each([0, 1])('are counted exactly by the reference score (seed %i)', async (seed) => {
    const { planted, scores, accuracy } = await measure({ seed });
    expect(new Set(planted)).toEqual(new Set([0, 1, 3, 5, 10]));
    expect(scores.reference).toEqual(planted);
    expect(accuracy).toBe(1);
  });

  it('are ordered by the class-aware scores', async () => {
    const { planted, scores } = await measure({});
    for (const criterion of ['reference', 'relative', 'graded']) {
      expect(orderedShare(planted, scores[criterion]!), criterion).toBe(1);
    }
  });

  it('are ordered with noise in the images where classes are compared, and not where anything counts', async () => {
    const { planted, scores } = await measure({ noise: 0.1 });
    expect(orderedShare(planted, scores.relative!)).toBe(1);
    expect(orderedShare(planted, scores.reference!)).toBeLessThan(1);
  });

  it('are counted exactly through a readout that was trained', async () => {
    const { planted, scores } = await measure({}, { readout: 'trained', criteria: ['reference'] });
    expect(scores.reference).toEqual(planted);
  });

  it('leave no tensors behind', async () => {
    const before = tf.memory().numTensors;
    await measure({});
    expect(tf.memory().numTensors).toBe(before);
  });
});

it('a pair counts as ordered only where the filter that serves more scores higher', () => {
  expect(orderedShare([0, 1, 1, 3], [0, 5, 2, 4])).toBe(4 / 5);
  expect(orderedShare([0, 1], [1, 1])).toBe(0);
});
