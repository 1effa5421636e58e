import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { eachEngine } from '../../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../../test/support/networks.ts';
import { fillWeights } from '../../../test/support/small-models.ts';
import { stripedImages } from '../../../test/support/synthetic.ts';
import type { BatchSource } from '../../data.ts';
import { type Criterion, needsImages } from '../criterion.ts';
import { scoreFilters } from '../score-filters.ts';

/** Two classes, two images each, of 1 x 2 pixels and one channel. */
const IMAGES: BatchSource = {
  size: 4,
  batchSize: 4,
  classNames: ['a', 'b'],
  async *batches() {
    yield {
      images: Float32Array.of(1, 2, 3, -1, -2, 1, 0, 4),
      labels: Int32Array.of(0, 0, 1, 1),
      shape: [4, 1, 2, 1],
    };
  },
};

/** Filters x, -x and 2 - x behind ReLU, summed over the two positions, to two logits. */
function threeFilters(): LayersModel {
  const model = sequential({
    layers: [
      layers.conv2d({ name: 'conv', inputShape: [1, 2, 1], filters: 3, kernelSize: 1, activation: 'relu' }),
      layers.globalAveragePooling2d({}),
      layers.dense({ name: 'logits', units: 2, useBias: false }),
    ],
  });
  model.getLayer('conv').setWeights([tf.tensor4d([1, -1, -1], [1, 1, 1, 3]), tf.tensor1d([0, 0, 2])]);
  model.getLayer('logits').setWeights([tf.tensor2d([2, 0, 0, 2, 1, 0], [3, 2])]);
  return model;
}

/** Of `threeFilters`, in double precision and written down from the definitions: z, and dL/dz of each image's own loss. */
function byHand() {
  const images = [
    [1, 2],
    [3, -1],
    [-2, 1],
    [0, 4],
  ];
  return images.map((pixels, image) => {
    const label = image < 2 ? 0 : 1;
    const z = pixels.map((x) => [x, -x, 2 - x].map((value) => Math.max(0, value)));
    const pooled = [0, 1, 2].map((f) => (z[0]![f]! + z[1]![f]!) / 2);
    const logits = [2 * pooled[0]! + pooled[2]!, 2 * pooled[1]!];
    const total = Math.exp(logits[0]!) + Math.exp(logits[1]!);
    const error = logits.map((logit, c) => Math.exp(logit) / total - (c === label ? 1 : 0));
    const dz = [2 * error[0]!, 2 * error[1]!, error[0]!].map((gradient) => gradient / 2);
    // The layer's output before ReLU has the gradient where ReLU is open; there, output and z are the same.
    const importance = [0, 1, 2].map((f) => z.map((at) => Math.abs(at[f]! * dz[f]!)));
    return { label, z, dz, importance };
  });
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;

async function score(model: LayersModel, criterion: Criterion, only?: string[]): Promise<number[]> {
  const source = needsImages(criterion) ? IMAGES : undefined;
  const [scores] = await scoreFilters(model, source, { criterion, ...(only && { layers: only }) });
  return Array.from(scores!.numerators, (numerator) => numerator / scores!.denominator);
}

function expectClose(actual: readonly number[], expected: readonly number[]) {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, f) => {
    expect(value, `filter ${f}`).toBeCloseTo(expected[f]!, 5);
  });
}

eachEngine(() => {
  describe('criteria that look at images', () => {
    let model: LayersModel;
    beforeAll(() => {
      model = threeFilters();
    });

    it('taylor: mean over images of |mean over positions of z * dL/dz|', async () => {
      const expected = [0, 1, 2].map((f) =>
        mean(byHand().map(({ z, dz }) => Math.abs(mean(z.map((at) => at[f]! * dz[f]!))))),
      );
      expectClose(await score(model, { kind: 'taylor' }), expected);
      expect(expected.every((value) => value > 1e-3)).toBe(true);
    });

    it('mean-activation and apoz: mean, and share that is not zero, behind the activation', async () => {
      // x: 1 2 | 3 . | . 1 | . 4, -x: . . | . 1 | 2 . | . ., 2 - x: 1 . | . 3 | 4 1 | 2 .
      expectClose(await score(model, { kind: 'mean-activation' }), [11 / 8, 3 / 8, 11 / 8]);
      expectClose(await score(model, { kind: 'apoz' }), [5 / 8, 2 / 8, 5 / 8]);
    });

    it('graded: sum over classes of r / (r + rho)', async () => {
      const rho = 0.5;
      const degrees = [0, 1].map((c) => {
        const images = byHand().filter(({ label }) => label === c);
        const importance = [0, 1, 2].map((f) => mean(images.flatMap((image) => image.importance[f]!)));
        return importance.map((value) => value / (value + rho * mean(importance)));
      });
      const [scores] = await scoreFilters(model, IMAGES, { criterion: { kind: 'graded', rho } });
      expect(scores).toMatchObject({ classes: 2, denominator: 1 });
      expectClose(
        [...scores!.numerators],
        [0, 1, 2].map((f) => degrees[0]![f]! + degrees[1]![f]!),
      );
      expectClose([...scores!.classMatrix], degrees.flat());
    });

    it.each([0, 0.25, 0.5, 0.8])('quantile %d: the reference score at that quantile of the layer', async (quantile) => {
      const values = byHand().flatMap(({ importance }) => importance.flat());
      const tau = values.toSorted((a, b) => a - b)[Math.floor(quantile * values.length)]!;
      const [scores] = await scoreFilters(model, IMAGES, { criterion: { kind: 'quantile', quantile } });
      expect(scores).toMatchObject({ classes: 2, denominator: 2 });
      const counts = [0, 1, 2].map((f) => {
        const at = [0, 1].map((p) => byHand().filter(({ importance }) => importance[f]![p]! > tau + 1e-9).length);
        return Math.max(...at);
      });
      expect([...scores!.numerators]).toEqual(counts);
      expect(counts.some((count) => count > 0)).toBe(true);
    });
  });

  describe('criteria that look at weights', () => {
    it('l1-norm, l2-norm, geometric-median', async () => {
      const model = sequential({
        layers: [
          layers.conv2d({ name: 'conv', inputShape: [2, 2, 1], filters: 3, kernelSize: [1, 2], padding: 'same' }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ],
      });
      // Filters (3, 4), (0, 0) and (0, -4), which are 5, 4 and sqrt(73) apart; the bias does not count.
      model.getLayer('conv').setWeights([tf.tensor4d([3, 0, 0, 4, 0, -4], [1, 2, 1, 3]), tf.tensor1d([9, 9, 9])]);
      expectClose(await score(model, { kind: 'l1-norm' }), [7, 0, 4]);
      expectClose(await score(model, { kind: 'l2-norm' }), [5, 0, 4]);
      const far = Math.sqrt(73);
      expectClose(await score(model, { kind: 'geometric-median' }), [5 + far, 5 + 4, 4 + far]);
    });

    it('batch-norm-scale, where there is one', async () => {
      const model = smallVgg();
      fillWeights(model, 3);
      const gamma = (model.getLayer('bn1').getWeights()[0]!.dataSync() as Float32Array).map(Math.abs);
      expect(gamma.some((value) => value > 0.1)).toBe(true);
      expect(await score(model, { kind: 'batch-norm-scale' }, ['conv1'])).toEqual([...gamma]);
      await expect(score(model, { kind: 'batch-norm-scale' })).rejects.toThrow(
        "needs a batch norm with a scale behind every scored layer, but 'conv2' has none",
      );
    });

    it('random: by the seed', async () => {
      const model = smallVgg();
      const draws = (seed: number) => scoreFilters(model, undefined, { criterion: { kind: 'random', seed } });
      const [first, again, other] = [await draws(1), await draws(1), await draws(2)];
      expect(first).toEqual(again);
      expect(first).not.toEqual(other);
      const values = first.flatMap(({ numerators }) => [...numerators]);
      expect(new Set(values).size).toBe(11);
      expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    });
  });

  it('looks at a feature map behind batch norm, addition and ReLU, which is never negative', async () => {
    const model = smallResNet();
    fillWeights(model, 5);
    const scores = await scoreFilters(model, stripedImages(), { criterion: { kind: 'mean-activation' } });
    const of = new Map(scores.map(({ layer, numerators }) => [layer, [...numerators]]));
    expect([...of.keys()]).toEqual(['stem', 'block1_conv1', 'block1_conv2', 'block2_conv1', 'block2_conv2']);
    // Behind the addition of the first block; in the second one only the shortcut's own channels differ.
    const relu = await meanOutput(model, 'block1_relu2');
    expectClose(of.get('block1_conv2')!, relu);
    expectClose(of.get('block2_conv1')!, await meanOutput(model, 'block2_relu1'));
    expect(relu.every((value) => value >= 0) && relu.some((value) => value > 0.01)).toBe(true);
  });

  it('refuses parameters out of range, and a missing source', async () => {
    const model = threeFilters();
    await expect(score(model, { kind: 'graded', rho: 0 })).rejects.toThrow("'graded' needs a rho greater than 0");
    await expect(score(model, { kind: 'quantile', quantile: 1 })).rejects.toThrow('below 1, but it is 1');
    const options = { criterion: { kind: 'taylor' } } as const;
    await expect(scoreFilters(model, undefined, options)).rejects.toThrow("'taylor' needs scoring images");
    await expect(score(model, { kind: 'l1-norm' }, ['global'])).rejects.toThrow("'global'");
  });

  it.each<Criterion>([
    { kind: 'quantile', quantile: 0.5 },
    { kind: 'graded', rho: 0.5 },
    { kind: 'taylor' },
    { kind: 'mean-activation' },
    { kind: 'apoz' },
  ])('$kind does not depend on the batches, and leaves no tensors behind', async (criterion) => {
    const model = smallVgg();
    const before = tf.memory().numTensors;
    const whole = await scoreFilters(model, stripedImages({ batchSize: 24 }), { criterion });
    const parts = await scoreFilters(model, stripedImages({ batchSize: 5 }), { criterion });
    for (const [i, { numerators }] of whole.entries()) expectClose([...numerators], [...parts[i]!.numerators]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** Mean of a layer's output over the striped images and all positions, by tfjs itself. */
async function meanOutput(model: LayersModel, name: string): Promise<number[]> {
  const { model: functional } = await import('@tensorflow/tfjs-layers');
  const upTo = functional({ inputs: model.inputs, outputs: model.getLayer(name).output as never });
  const totals: number[] = [];
  let images = 0;
  for await (const batch of stripedImages().batches(0)) {
    const sums = tf.tidy(() => {
      const output = upTo.predict(tf.tensor4d(batch.images, [...batch.shape])) as tf.Tensor4D;
      return tf.sum(tf.mean(output, [1, 2]), 0).dataSync();
    });
    sums.forEach((value, f) => {
      totals[f] = (totals[f] ?? 0) + value;
    });
    images += batch.labels.length;
  }
  return totals.map((total) => total / images);
}
