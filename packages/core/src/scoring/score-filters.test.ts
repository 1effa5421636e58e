import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import type { BatchSource } from '../data.ts';
import { usePrecision } from '../kernels/precision.ts';
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

/** Two images of 8x32 with noise in the columns below 15 and zeros behind, one of each class. */
const NOISE_ON_THE_LEFT: BatchSource = {
  size: 2,
  batchSize: 2,
  classNames: ['one', 'other'],
  async *batches() {
    const images = Float32Array.from({ length: 2 * 8 * 32 }, (_, i) => (i % 32 < 15 ? Math.sin(7 * i + 1) : 0));
    yield { images, labels: Int32Array.of(0, 1), shape: [2, 8, 32, 1] };
  },
};

/**
 * Two linear 3x3 convolutions, wide enough for any fast algorithm, in front of a layer that looks at the columns from `from` on. Their
 * outputs on the noise end at columns 15 and 16, exactly.
 */
function networkThatLooksFrom(from: number) {
  const convolution = { filters: 16, kernelSize: 3, padding: 'same', useBias: false } as const;
  const seeded = (seed: number) => ({ kernelInitializer: initializers.heNormal({ seed }) });
  const model = sequential({
    layers: [
      layers.conv2d({ ...convolution, ...seeded(1), name: 'first', inputShape: [8, 32, 1] }),
      layers.conv2d({ ...convolution, ...seeded(2), name: 'second' }),
      layers.flatten({}),
      layers.dense({ name: 'logits', units: 2, useBias: false }),
    ],
  });
  const weights = Float32Array.from({ length: 8 * 32 * 16 * 2 }, (_, i) =>
    Math.floor(i / (16 * 2)) % 32 < from ? 0 : Math.cos(3 * i),
  );
  model.getLayer('logits').setWeights([tf.tensor2d(weights, [8 * 32 * 16, 2])]);
  return model;
}

eachEngine(() => {
  describe('scoreFilters', () => {
    it.each(['float32', 'bfloat16'] as const)('keeps zeros exactly zero while %s is set', async (precision) => {
      const restorePrecision = usePrecision(precision);
      try {
        const criterion = { kind: 'reference', tau: 0 } as const;
        // An algorithm that transforms tiles, as Winograd's does, would leave rounding errors where the windows see only zeros.
        const apart = await scoreFilters(networkThatLooksFrom(17), NOISE_ON_THE_LEFT, { criterion });
        expect(apart.flatMap(({ numerators }) => [...numerators])).toEqual(new Array(32).fill(0));
        const touching = await scoreFilters(networkThatLooksFrom(16), NOISE_ON_THE_LEFT, { criterion });
        expect(touching.flatMap(({ numerators }) => [...numerators])).toEqual(new Array(32).fill(2));
      } finally {
        restorePrecision();
      }
    });

    it('computes in float32 while bfloat16 is set, and leaves that set', async () => {
      const score = () => scoreFilters(networkThatLooksFrom(10), NOISE_ON_THE_LEFT, { criterion: { kind: 'taylor' } });
      const expected = await score();
      const restorePrecision = usePrecision('bfloat16');
      try {
        expect(await score()).toEqual(expected);
        expect(tf.env().getBool('BFLOAT16_COMPUTE')).toBe(true);
      } finally {
        restorePrecision();
      }
    });

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
      expect(parts.map(({ classMatrix }) => classMatrix)).toEqual(whole.map(({ classMatrix }) => classMatrix));
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
