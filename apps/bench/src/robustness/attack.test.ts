import { CIFAR10_STATISTICS } from '@secateur/data';
import '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { accuracyUnder, attackImages, FGSM } from './attack.ts';

const { mean, std } = CIFAR10_STATISTICS;
const standardise = (value: number, channel: number) => (value - mean[channel]!) / std[channel]!;
const toPixels = (values: ArrayLike<number>) =>
  // Without the sign of a zero.
  Array.from(values, (value, i) => Math.round(1e5 * (value * std[i % 3]! + mean[i % 3]!)) / 1e5 + 0);

/** One pixel; red speaks for class 0, green for class 1, blue for neither. */
function redAgainstGreen() {
  const model = sequential({
    layers: [layers.flatten({ inputShape: [1, 1, 3] }), layers.dense({ units: 2, useBias: false })],
  });
  model.setWeights([tf.tensor2d([1, 0, 0, 1, 0, 0], [3, 2])]);
  return model;
}

const pixel = (...values: [number, number, number]) => Float32Array.from(values.map(standardise));

beforeAll(() => tf.setBackend('torch'));

describe('attacks', () => {
  it('FGSM moves each pixel by epsilon against its label, and not beyond black and white', () => {
    const images = tf.tensor4d([...pixel(0.5, 0.5, 0.5), ...pixel(0.01, 0.99, 0.2)], [2, 1, 1, 3]);
    const labels = tf.tensor1d([0, 0], 'int32');
    const attacked = attackImages(redAgainstGreen(), { images, labels }, { ...FGSM, epsilon: 0.1, seed: 0 });
    expect(toPixels(attacked.dataSync())).toEqual([0.4, 0.6, 0.5, 0, 1, 0.2]);
  });

  it('PGD stays within epsilon, gets as far as FGSM here, and leaves no tensors behind', () => {
    const images = tf.tensor4d(pixel(0.5, 0.5, 0.5), [1, 1, 1, 3]);
    const labels = tf.tensor1d([1], 'int32');
    const model = redAgainstGreen();
    const before = tf.memory().numTensors;
    const attacked = attackImages(
      model,
      { images, labels },
      { epsilon: 0.1, steps: 12, stepSize: 0.25, randomStart: true, seed: 3 },
    );
    const [red, green, blue] = toPixels(attacked.dataSync());
    expect([red, green]).toEqual([0.6, 0.4]);
    expect(Math.abs(blue! - 0.5)).toBeLessThanOrEqual(0.1);
    expect(tf.memory().numTensors).toBe(before + 1);
  });

  it('accuracy counts what is still recognised, batch by batch', () => {
    const images = Float32Array.from([...pixel(0.6, 0.5, 0), ...pixel(0.5, 0.6, 0), ...pixel(0.9, 0.1, 0)]);
    const arrays = { images, labels: Int32Array.of(0, 1, 0), shape: [1, 1, 3], classNames: ['red', 'green'] } as const;
    const attack = { ...FGSM, epsilon: 0.1, seed: 0 };
    expect(accuracyUnder(redAgainstGreen(), arrays, { batch: 2 })).toBe(1);
    expect(accuracyUnder(redAgainstGreen(), arrays, { batch: 2, attack })).toBeCloseTo(1 / 3, 12);
  });
});
