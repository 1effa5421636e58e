import '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, it } from 'vitest';
import { classLosses, compareWithRemoval } from './measure.ts';
import { correlationByClass } from './report.ts';

const IMAGES = {
  images: Float32Array.of(1, 2, -1, -2),
  labels: Int32Array.of(0, 0, 1, 1),
  shape: [1, 1, 1],
  classNames: ['positive', 'negative'],
} as const;

/** Filters x for class 0, -x for class 1, and one that is hardly heard. */
function signNetwork() {
  const model = sequential({
    layers: [
      layers.conv2d({ name: 'conv', inputShape: [1, 1, 1], filters: 3, kernelSize: 1, useBias: false }),
      layers.reLU({}),
      layers.flatten({}),
      layers.dense({ name: 'logits', units: 2, useBias: false }),
    ],
  });
  model.getLayer('conv').setWeights([tf.tensor4d([1, -1, 0.01], [1, 1, 1, 3])]);
  model.getLayer('logits').setWeights([tf.tensor2d([1, 0, 0, 1, 1, 0], [3, 2])]);
  return model;
}

beforeAll(() => tf.setBackend('torch'));

/** Mean of ln(1 + exp(-margin)). */
const loss = (...margins: number[]) => margins.reduce((sum, m) => sum + Math.log1p(Math.exp(-m)), 0) / margins.length;

it('takes the cross entropy of each class by itself', () => {
  const [positive, negative] = classLosses(signNetwork(), IMAGES);
  expect(positive).toBeCloseTo(loss(1.01, 2.02), 5);
  expect(negative).toBeCloseTo(loss(1, 2), 5);
});

it('removes one filter after the other, and sets the change of each class against the estimates', async () => {
  const model = signNetwork();
  const before = tf.memory().numTensors;
  const { filters } = await compareWithRemoval(model, IMAGES, { taus: [0] });
  expect(tf.memory().numTensors).toBe(before);
  expect(filters.map(({ layer, depth }) => [layer, depth])).toEqual(Array(3).fill(['conv', 0]));
  const [positive, negative, faint] = filters.map(({ changes }) => changes);
  expect(positive![0]).toBeCloseTo(loss(0.01, 0.02) - loss(1.01, 2.02), 4);
  expect(negative![1]).toBeCloseTo(loss(0, 0) - loss(1, 2), 4);
  expect(faint![0]).toBeCloseTo(loss(1, 2) - loss(1.01, 2.02), 4);
  expect([positive![1], negative![0], faint![1]]).toEqual([0, 0, 0]);

  expect(filters.map(({ estimates }) => estimates['reference=0'])).toEqual([
    [1, 0],
    [0, 1],
    [1, 0],
  ]);
  // Behind the activation: mean of z |dL/dz|, where dL/dz is the probability of the other class.
  const probability = (margin: number) => 1 / (1 + Math.exp(margin));
  expect(filters[0]!.estimates.taylor![0]).toBeCloseTo((probability(1.01) + 2 * probability(2.02)) / 2, 4);
  expect(correlationByClass(filters, 'taylor')).toBe(1);
});
