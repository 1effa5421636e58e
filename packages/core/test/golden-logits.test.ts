import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { eachEngine } from './support/engines.ts';
import {
  buildModel,
  type GoldenModel,
  goldenImages,
  listNetworks,
  readNetwork,
  readTensor,
  tensorEntry,
} from './support/golden.ts';
import { largestDifference, predict } from './support/numbers.ts';

describe.each(listNetworks())('golden network %s', (name) => {
  const network = readNetwork(name);
  const { net, scores } = network;

  it('has intact files', () => {
    const sha256 = createHash('sha256').update(network.bytes(net.weights.file)).digest('hex');
    expect(sha256).toBe(net.weights.sha256);
  });

  it('gives the window of the image that the reference saw', () => {
    const { images, shape } = goldenImages(net);
    const [, , width, channels] = shape;
    const start = (net.input_check.image * images.length) / shape[0];
    const row = Array.from({ length: width }, (_, x) => images[start + x * channels]!);
    expect(row).toEqual(net.input_check.channel0_row0.map(Math.fround));
    const mean = images.reduce((sum, value) => sum + value, 0) / images.length;
    const variance = images.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (images.length - 1);
    expect(mean).toBeCloseTo(net.input_check.mean, 5);
    expect(Math.sqrt(variance)).toBeCloseTo(net.input_check.std, 5);
  });

  eachEngine(() => {
    let golden: GoldenModel;
    beforeAll(() => {
      golden = buildModel(net.layers, net.input, {
        entries: net.weights.entries,
        values: network.floats(net.weights.file),
      });
    });

    it('holds every tensor, and gives it back in the layout of PyTorch', () => {
      expect([...golden.places.keys()].sort()).toEqual(net.weights.entries.map((entry) => entry.name).sort());
      const values = network.floats(net.weights.file);
      for (const entry of net.weights.entries) {
        expect(readTensor(golden, entry.name), entry.name).toEqual(tensorEntry(values, entry).slice());
      }
    });

    it('predicts the logits of the reference', () => {
      const before = tf.memory().numTensors;
      const logits = predict(golden.model, goldenImages(net));
      expect(largestDifference(logits, scores.logits.flat())).toBeLessThanOrEqual(1e-4);
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});
