import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import type { BatchSource } from '../data.ts';
import { scoreFilters } from './score-filters.ts';

/** Two classes, two 1x1 images each, one channel: class 0 is 1 and 2, class 1 is -1 and -2. */
const SIGNS: BatchSource = {
  size: 4,
  batchSize: 4,
  classNames: ['positive', 'negative'],
  async *batches() {
    yield { images: Float32Array.of(1, 2, -1, -2), labels: Int32Array.of(0, 0, 1, 1), shape: [4, 1, 1, 1] };
  },
};

/** Filters x, -x, 0 and |x| in part: which classes each of them serves is plain. */
function signNetwork() {
  const model = sequential({
    layers: [
      layers.conv2d({
        name: 'conv',
        inputShape: [1, 1, 1],
        filters: 3,
        kernelSize: 1,
        activation: 'relu',
        useBias: true,
      }),
      layers.flatten({}),
      layers.dense({ name: 'logits', units: 2 }),
    ],
  });
  model.getLayer('conv').setWeights([tf.tensor4d([1, -1, 0], [1, 1, 1, 3]), tf.tensor1d([0, 0, 0])]);
  model.getLayer('logits').setWeights([tf.tensor2d([1, -1, -1, 1, 1, 1], [3, 2]), tf.tensor1d([0, 0])]);
  return model;
}

eachEngine(() => {
  describe('scoreFilters', () => {
    it('counts the classes that a filter serves', async () => {
      const [scores] = await scoreFilters(signNetwork(), SIGNS, { criterion: { kind: 'reference', tau: 0 } });
      expect(scores).toMatchObject({ layer: 'conv', filters: 3, classes: 2, denominator: 2 });
      // x serves the positive class with both of its images, -x the negative one, 0 none.
      expect(Array.from(scores!.numerators)).toEqual([2, 2, 0]);
      expect(Array.from(scores!.classMatrix)).toEqual([1, 0, 0, 0, 1, 0]);
    });

    it('leaves out what is not above tau', async () => {
      const tau = 0.05;
      const [scores] = await scoreFilters(signNetwork(), SIGNS, { criterion: { kind: 'reference', tau } });
      // |a dL/da| = x (1 - p) / 2 * 2 with p the softmax of the label, logits +-x: 1 -> 0.119, 2 -> 0.036.
      expect(Array.from(scores!.numerators)).toEqual([1, 1, 0]);
    });

    it('compares a filter with the mean of its layer in the relative score', async () => {
      const [scores] = await scoreFilters(signNetwork(), SIGNS, { criterion: { kind: 'relative', rho: 0.5 } });
      expect(scores!.denominator).toBe(1);
      expect(Array.from(scores!.numerators)).toEqual([1, 1, 0]);
      expect(Array.from(scores!.classMatrix, (x) => Number(x.toFixed(4)))).toEqual([3, 0, 0, 0, 3, 0]);
      expect(Array.from(scores!.tieBreak, (x) => Number(x.toFixed(4)))).toEqual([1.5, 1.5, 0]);
    });

    it.each([
      ['VGG', smallVgg],
      ['ResNet', smallResNet],
    ])('does not depend on the batches of a %s, and leaves no tensors behind', async (_, build) => {
      const model = build();
      const before = tf.memory().numTensors;
      const criterion = { kind: 'reference', tau: 0 } as const;
      const whole = await scoreFilters(model, stripedImages({ batchSize: 24 }), { criterion });
      const parts = await scoreFilters(model, stripedImages({ batchSize: 5 }), { criterion });
      expect(parts.map(({ numerators }) => numerators)).toEqual(whole.map(({ numerators }) => numerators));
      expect(whole.map(({ layer }) => layer)).toEqual(
        model.layers.filter((layer) => layer.getClassName() === 'Conv2D').map((layer) => layer.name),
      );
      expect(tf.memory().numTensors).toBe(before);
    });

    it('refuses classes with different numbers of images, and unknown layers', async () => {
      const source = stripedImages({ perClass: 4 });
      const uneven: BatchSource = {
        ...source,
        async *batches(epoch) {
          for await (const batch of source.batches(epoch)) {
            batch.labels[0] = 1;
            yield batch;
          }
        },
      };
      const criterion = { kind: 'reference', tau: 0 } as const;
      const before = tf.memory().numTensors;
      const model = smallVgg();
      const tensors = tf.memory().numTensors;
      await expect(scoreFilters(model, uneven, { criterion })).rejects.toThrow("class 'class 0' has 3 of 12 images");
      await expect(scoreFilters(model, source, { criterion, layers: ['conv9'] })).rejects.toThrow("'conv9'");
      expect(tf.memory().numTensors).toBe(tensors);
      expect(before).toBeLessThan(tensors);
    });
  });
});
