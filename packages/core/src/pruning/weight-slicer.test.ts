import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import { readGraph } from '../graph/channel-graph.ts';
import { weightSlicer } from './weight-slicer.ts';

const input = image(2, 1);
const graph = readGraph(
  modelOf(
    input,
    chain(
      input,
      layers.conv2d({ name: 'conv', filters: 3, kernelSize: 1 }),
      layers.batchNormalization({ name: 'norm' }),
      layers.flatten({ name: 'flatten' }),
      layers.dense({ name: 'dense', units: 2 }),
    ),
  ),
);
const slice = weightSlicer(graph, { version: 1, remove: { conv: [1] } });

describe('weightSlicer', () => {
  it('cuts tensors that have the shape of a weight', () => {
    const kernel = tf.tensor([1, 2, 3], [1, 1, 1, 3]);
    expect(slice('conv', 0, kernel).arraySync()).toEqual([[[[1, 3]]]]);
    expect(slice('conv', 1, tf.tensor([4, 5, 6])).arraySync()).toEqual([4, 6]);
    for (const vector of [0, 1, 2, 3]) expect(slice('norm', vector, tf.tensor([7, 8, 9])).arraySync()).toEqual([7, 9]);
  });

  it('cuts one unit per position behind a flatten, and leaves the outputs of the consumer whole', () => {
    const kernel = tf.tensor2d(Array.from({ length: 12 }, (_, row) => [row, -row]));
    const kept = [0, 2, 3, 5, 6, 8, 9, 11];
    const cut = slice('dense', 0, kernel);
    expect(cut.arraySync()).toEqual(kept.map((row) => [row, -row]));
    expect(slice('dense', 1, tf.tensor([1, 2])).arraySync()).toEqual([1, 2]);
  });

  it('gives a new tensor also where nothing goes, and holds no others', () => {
    const untouched = tf.tensor([1, 2]);
    const before = tf.memory().numTensors;
    const cut = slice('dense', 1, untouched);
    expect(tf.memory().numTensors).toBe(before + 1);
    cut.dispose();
    expect(untouched.isDisposed).toBe(false);
  });

  it('refuses weights that do not exist and tensors of another shape', () => {
    expect(() => slice('conv', 2, tf.zeros([3]))).toThrow("The network has no weight 2 in a layer named 'conv'.");
    expect(() => slice('cnov', 0, tf.zeros([3]))).toThrow("no weight 0 in a layer named 'cnov'");
    expect(() => slice('conv', 1, tf.zeros([2]))).toThrow(
      "Weight 1 of layer 'conv' has shape [3], but the tensor to cut has [2].",
    );
  });
});
