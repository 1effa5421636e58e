import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { fuzzImport } from './fuzz-import.ts';

it('damaged files give a model or an error that says what is wrong, and leave nothing allocated', async () => {
  const before = tf.memory().numTensors;
  const { imported, refused, problems } = await fuzzImport({ cases: 400, seed: 1 });
  expect(problems).toEqual([]);
  expect(imported + refused).toBe(400);
  // Neither a fuzzer that damages nothing nor one that leaves nothing to read would test the importer.
  expect(imported).toBeGreaterThan(20);
  expect(refused).toBeGreaterThan(100);
  expect(tf.memory().numTensors).toBe(before);
});
