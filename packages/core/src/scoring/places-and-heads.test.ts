import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { largestDifference } from '../../test/support/numbers.ts';
import { chain, fillWeights, image, modelOf } from '../../test/support/small-models.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import { SelfAttention } from '../layers/self-attention.ts';
import { sumImportance } from './criteria/importance.ts';
import type { Criterion } from './criterion.ts';
import { scoreFilters } from './score-filters.ts';

/** A convolution on the image and on a smaller copy of it; as one layer in two places, or as two with the same weights. */
function siamese(second: 'shared' | 'twin'): LayersModel {
  const input = image(8, 3);
  const conv = (name: string) => layers.conv2d({ name, filters: 4, kernelSize: 3, activation: 'relu' });
  const small = chain(input, layers.averagePooling2d({ poolSize: 2 }));
  const shared = conv('conv');
  const [a, b] = [shared.apply(input), (second === 'shared' ? shared : conv('twin')).apply(small)] as SymbolicTensor[];
  const pooled = [a!, b!].map((x) => chain(x, layers.globalAveragePooling2d({})));
  const both = layers.concatenate({}).apply(pooled) as SymbolicTensor;
  const model = modelOf(input, chain(both, layers.dense({ name: 'logits', units: 3 })));
  for (const name of second === 'shared' ? ['conv'] : ['conv', 'twin']) {
    const [kernel, bias] = tf.tidy(() => [
      tf.randomUniform([3, 3, 3, 4], -0.5, 0.5, 'float32', 11),
      tf.randomUniform([4], -0.5, 0.5, 'float32', 12),
    ]) as [tf.Tensor, tf.Tensor];
    model.getLayer(name).setWeights([kernel, bias]);
  }
  model.getLayer('logits').setWeights([tf.randomUniform([8, 3], -1, 1, 'float32', 13), tf.zeros([3])]);
  return model;
}

async function scoresOf(model: LayersModel, criterion: Criterion, names: string[]) {
  const scores = await scoreFilters(model, stripedImages(), { criterion, layers: names });
  return scores.map(({ numerators, denominator }) => Array.from(numerators, (value) => value / denominator));
}

const [HEADS, SIZE] = [3, 2];

function transformer(): LayersModel {
  const input = image(8, 3);
  const tokens = chain(
    input,
    layers.averagePooling2d({ poolSize: 4 }),
    layers.reshape({ name: 'tokens', targetShape: [4, 3] }),
    new SelfAttention({ name: 'attention', heads: HEADS, headSize: SIZE }),
  );
  const model = modelOf(input, chain(tokens, layers.flatten(), layers.dense({ name: 'logits', units: 3 })));
  fillWeights(model, 21);
  for (const weight of model.weights) weight.write(tf.mul(weight.read(), 3));
  return model;
}

interface HeadValues {
  readonly label: number;
  /** For each token and head: sum over the head's channels of a * dL/da, and mean of |a|. */
  readonly products: readonly (readonly number[])[];
  readonly sizes: readonly (readonly number[])[];
}

/** By tfjs's own tape, with the attention layer's definition in two parts; L is an image's own loss. */
async function headValues(model: LayersModel): Promise<HeadValues[]> {
  const attention = model.getLayer('attention') as unknown as SelfAttention;
  const [kernel, bias] = attention.getWeights().slice(6) as [tf.Tensor2D, tf.Tensor1D];
  const values: HeadValues[] = [];
  for await (const batch of stripedImages().batches(0)) {
    tf.tidy(() => {
      const pooled = tf.avgPool(tf.tensor4d(batch.images, [...batch.shape]), 4, 4, 'valid');
      const heads = attention.attend(tf.reshape(pooled, [-1, 4, 3]));
      const labels = tf.oneHot(tf.tensor1d(batch.labels, 'int32'), 3);
      const [dense, offset] = model.getLayer('logits').getWeights() as [tf.Tensor2D, tf.Tensor1D];
      const loss = (a: tf.Tensor) => {
        const mixed = tf.add(tf.matMul(tf.reshape(a, [-1, HEADS * SIZE]) as tf.Tensor2D, kernel), bias);
        const logits = tf.add(tf.matMul(tf.reshape(mixed, [batch.shape[0], -1]) as tf.Tensor2D, dense), offset);
        return tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)))) as tf.Scalar;
      };
      const split = (x: tf.Tensor) => tf.reshape(x, [-1, 4, HEADS, SIZE]);
      const products = tf.sum(split(tf.mul(heads, tf.grad(loss)(heads))), -1).arraySync() as number[][][];
      const sizes = tf.mean(tf.abs(split(heads)), -1).arraySync() as number[][][];
      batch.labels.forEach((label, i) => {
        values.push({ label, products: products[i]!, sizes: sizes[i]! });
      });
    });
  }
  return values;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

eachEngine(() => {
  describe('a layer in several places', () => {
    it('is as important as in all of them together', async () => {
      const source = stripedImages();
      const sums = async (model: LayersModel, names: string[]) => {
        const { layers } = await sumImportance({ model, source, layers: names });
        return layers.map(({ totals }) => totals.map((total) => total.dataSync()));
      };
      const [[atBoth], twins] = [
        await sums(siamese('shared'), ['conv']),
        await sums(siamese('twin'), ['conv', 'twin']),
      ];
      expect(atBoth!.length).toBe(2);
      const apart = twins.map(([total]) => total!);
      const total = (parts: readonly ArrayLike<number>[]) =>
        Array.from(parts[0]!, (_, i) => parts.reduce((sum, part) => sum + part[i]!, 0));
      expect(largestDifference(total(atBoth!), total(apart))).toBeLessThan(1e-6);
      expect(Math.min(...apart.map((part) => Math.max(...Array.from(part))))).toBeGreaterThan(1e-3);
    });

    it.each<[Criterion, (a: number, b: number) => number]>([
      [{ kind: 'reference', tau: 0.001 }, Math.max],
      [{ kind: 'taylor' }, (a, b) => a + b],
      [{ kind: 'mean-activation' }, (a, b) => (a + b) / 2],
      [{ kind: 'apoz' }, (a, b) => (a + b) / 2],
    ])('%o', async (criterion, combine) => {
      const [together, apart] = [siamese('shared'), siamese('twin')];
      const before = tf.memory().numTensors;
      const [shared] = await scoresOf(together, criterion, ['conv']);
      const [a, b] = await scoresOf(apart, criterion, ['conv', 'twin']);
      const expected = a!.map((value, filter) => combine(value, b![filter]!));
      expect(largestDifference(shared!, expected)).toBeLessThan(1e-6);
      expect(a).not.toEqual(b);
      expect(tf.memory().numTensors).toBe(before);
    });
  });

  describe('heads of attention', () => {
    it('taylor: mean over images of |mean over tokens of a * dL/da|, summed over the channels of a head', async () => {
      const model = transformer();
      const values = await headValues(model);
      const expected = [0, 1, 2].map((head) =>
        mean(values.map(({ products }) => Math.abs(mean(products.map((token) => token[head]!))))),
      );
      const [scores] = await scoresOf(model, { kind: 'taylor' }, ['attention']);
      expect(largestDifference(scores!, expected)).toBeLessThan(1e-5);
      expect(Math.min(...expected)).toBeGreaterThan(1e-3);
    });

    it('class-aware scores see every class', async () => {
      const model = transformer();
      const values = await headValues(model);
      const tau = 0.04;
      const importance = [0, 1, 2].map((label) =>
        [0, 1, 2].map((head) =>
          mean(
            values
              .filter((value) => value.label === label)
              .flatMap(({ products }) => products.map((token) => Math.abs(token[head]!))),
          ),
        ),
      );
      const options = { layers: ['attention'] };
      const [relative] = await scoreFilters(model, stripedImages(), {
        ...options,
        criterion: { kind: 'relative', rho: 1 },
      });
      const ratios = importance.flatMap((row) => row.map((value) => value / mean(row)));
      expect(relative).toMatchObject({ filters: HEADS, classes: 3 });
      expect(largestDifference(relative!.classMatrix, ratios)).toBeLessThan(1e-4);

      // 8 images a class, whose losses are divided by 8.
      const counts = [0, 1, 2].map((head) =>
        Math.max(
          ...[0, 1, 2, 3].map(
            (token) => values.filter(({ products }) => Math.abs(products[token]![head]!) / 8 > tau).length,
          ),
        ),
      );
      const [reference] = await scoreFilters(model, stripedImages(), {
        ...options,
        criterion: { kind: 'reference', tau },
      });
      expect([...reference!.numerators]).toEqual(counts);
      expect(Math.min(...counts)).toBeGreaterThan(0);
      expect(Math.min(...counts)).toBeLessThan(24);
    });

    it('mean-activation: mean of |a|', async () => {
      const model = transformer();
      const values = await headValues(model);
      const expected = [0, 1, 2].map((head) => mean(values.flatMap(({ sizes }) => sizes.map((token) => token[head]!))));
      const [scores] = await scoresOf(model, { kind: 'mean-activation' }, ['attention']);
      expect(largestDifference(scores!, expected)).toBeLessThan(1e-5);
    });
  });
});

it('refuses layers without filters', async () => {
  await expect(
    scoreFilters(transformer(), stripedImages(), { criterion: { kind: 'taylor' }, layers: ['tokens'] }),
  ).rejects.toThrow("Expected 'tokens' to have filters that can be scored, but a Reshape layer has none.");
});
