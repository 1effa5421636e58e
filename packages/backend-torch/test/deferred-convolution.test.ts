import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memory, profile, setPrecision, setThreads, threads } from '../src/index.ts';
import { evaluate, expectAgreement, expectClose, runKernel, tensor, values } from './helpers.ts';

beforeEach(async () => {
  await tf.setBackend('torch');
});
afterEach(() => setPrecision('float32'));

const kernelsOf = async (run: () => unknown) =>
  (await profile(() => tf.tidy(() => void run()))).rows.map((row) => row.kernel);
const image = (shape: [number, number, number, number], seed = 1) => tensor(shape, seed, 1) as tf.Tensor4D;

interface Shapes {
  readonly batch: number;
  readonly size: number;
  readonly filter: number;
  readonly stride: number;
  readonly from: number;
  readonly to: number;
  readonly depthwise: boolean;
  /** Adds something before the ReLU. */
  readonly residual?: boolean;
}

/** convolution, batch norm, addition, ReLU; parameters with a seed for each. */
function chain(
  { batch, size, filter, stride, from, to, depthwise, residual }: Shapes,
  pad: 'same' | 'valid' | number,
): tf.Tensor4D {
  const x = image([batch, size, size, from]);
  const weight = image([filter, filter, from, depthwise ? 2 : to], 2);
  const channels = depthwise ? 2 * from : to;
  const vector = (seed: number, least = -1) =>
    tf.tensor1d(values(channels, seed, 1).map((value) => Math.max(value, least)));
  const y = (depthwise ? tf.depthwiseConv2d : tf.conv2d)(x, weight, stride, pad) as tf.Tensor4D;
  const normed = tf.batchNorm(y, vector(3), vector(4, 0.1), vector(5), vector(6)) as tf.Tensor4D;
  return tf.relu(residual ? tf.add(image(y.shape, 7), normed) : normed);
}

describe('batch norm, addition and ReLU folded into a convolution', () => {
  it('agree with cpu for any shape, stride and padding', async () => {
    const shapes = fc.record({
      batch: fc.integer({ min: 1, max: 20 }),
      size: fc.integer({ min: 1, max: 12 }),
      filter: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 2 }),
      from: fc.constantFrom(1, 3, 8, 16, 17),
      to: fc.constantFrom(1, 5, 8, 16, 19, 40),
      depthwise: fc.boolean(),
      residual: fc.boolean(),
    });
    const pads = fc.constantFrom<'same' | 'valid' | number>('same', 'valid', 1, 2);
    await fc.assert(
      fc.asyncProperty(shapes, pads, async (drawn, pad) => {
        fc.pre(pad === 'same' || drawn.filter <= drawn.size);
        await expectAgreement(() => chain(drawn, pad), 1e-4);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('is one row of the profile, on the first input and on the next', async () => {
    const x = image([1, 6, 6, 3]);
    const filter = image([3, 3, 3, 4], 2);
    const vector = tf.tensor1d([1, 2, 3, 4]);
    const run = () => tf.relu(tf.batchNorm(tf.conv2d(x, filter, 1, 'same'), vector, vector, vector, vector)).dataSync();
    for (let input = 0; input < 3; input++) {
      expect(await kernelsOf(run)).toEqual(['Conv2D+FusedBatchNorm+Relu', 'Reshape']);
    }
    expect(run()).toEqual(run());
  });

  it('stays within bfloat16 of the float32 result', async () => {
    const shapes = { batch: 2, size: 6, filter: 3, stride: 1, from: 8, to: 16, depthwise: false };
    const [exact] = await evaluate('torch', () => chain(shapes, 'same'));
    setPrecision('bfloat16');
    const [rounded] = await evaluate('torch', () => chain(shapes, 'same'));
    const norm = (a: ArrayLike<number>) => Math.hypot(...Array.from(a));
    const difference = Float32Array.from(rounded!.values, (value, i) => value - exact!.values[i]!);
    expect(norm(difference) / norm(exact!.values)).toBeLessThan(0.01);
    expect(norm(difference)).toBeGreaterThan(0);
  });

  it('takes ReLU6 in, as one kernel or as layers compute it', async () => {
    const x = image([2, 6, 6, 8]);
    const relu6 = (y: tf.Tensor) => tf.relu6(tf.mul(y, 1));
    const layer = tfl.layers.reLU({ maxValue: 6 });
    const strong = (seed: number) => tf.mul(image([3, 3, 8, 8], seed), 9) as tf.Tensor4D;
    const dense = () => tf.conv2d(x, strong(2), 1, 'same');
    const depthwise = () => tf.depthwiseConv2d(x, tf.mul(image([3, 3, 8, 1], 3), 20) as tf.Tensor4D, 1, 'same');
    const computed = () =>
      [dense, depthwise].flatMap((convolve) => [
        tf.relu6(convolve()),
        layer.apply(convolve()) as tf.Tensor,
        tf.clipByValue(convolve(), 0, 2),
        tf.relu6(tf.add(convolve(), x)),
      ]);
    const rows = await kernelsOf(() => computed().map((y) => y.dataSync()));
    for (const name of ['Relu6', 'Relu+ClipByValue', 'ClipByValue', 'Add+Relu6']) {
      expect(rows).toEqual(expect.arrayContaining([`Conv2D+${name}`, `DepthwiseConv2dNative+${name}`]));
    }
    await expectAgreement(computed, 1e-5);
    expectClose(tf.relu6(dense()).dataSync(), relu6(dense()).dataSync(), 0);
    expect(tf.max(tf.relu6(dense())).dataSync()[0]).toBe(6);
    setPrecision('bfloat16');
    expect(tf.max(tf.relu6(dense())).dataSync()[0]).toBe(6);
    const [filter, vector] = [strong(2), tf.tensor1d([NaN, 1, 1, 1, 1, 1, 1, 1])];
    const withNan = tf.relu6(tf.add(tf.conv2d(x, filter, 1, 'same'), tf.mul(tf.onesLike(dense()), vector)));
    expect(Number.isNaN(withNan.dataSync()[0])).toBe(true);
  });

  it('takes an addition in either order, when nothing else reads the convolution', async () => {
    const x = image([2, 9, 9, 8]);
    const filter = image([3, 3, 8, 8], 2);
    const convolved = () => tf.conv2d(x, filter, 1, 'same');
    const sums = () => [tf.relu(tf.add(convolved(), x)), tf.add(x, convolved()), tf.add(convolved(), convolved())];
    const twice = () => {
      const y = convolved();
      return tf.add(y, y);
    };
    expect(await kernelsOf(() => sums().map((y) => y.dataSync()))).toEqual(
      expect.arrayContaining(['Conv2D+Add+Relu', 'Conv2D+Add', 'Conv2D']),
    );
    await expectAgreement(sums, 1e-5);
    await expectAgreement(twice, 1e-5);
    await expectAgreement(() => tf.add(convolved(), tf.ones([8])), 1e-5);
  });

  it('gives the same bits whatever the number of images and threads', () => {
    const filter = image([3, 3, 16, 24], 2);
    const many = image([5, 16, 16, 16]);
    const one = tf.slice(many, [3, 0, 0, 0], [1, 16, 16, 16]) as tf.Tensor4D;
    const run = (x: tf.Tensor4D) => tf.conv2d(x, filter, 1, 'same').dataSync();
    const size = 16 * 16 * 24;
    expect(run(one)).toEqual(run(many).slice(3 * size, 4 * size));
    const before = threads();
    setThreads(1);
    expect(run(one)).toEqual(run(many).slice(3 * size, 4 * size));
    setThreads(before);
  });

  it('does not happen where the convolution itself is read too, or under a gradient', async () => {
    const x = image([1, 6, 6, 3]);
    const filter = image([3, 3, 3, 4], 2);
    const vector = tf.tensor1d([1, 2, 3, 4]);
    const normalise = (y: tf.Tensor4D) => tf.batchNorm(y, vector, vector, vector, vector) as tf.Tensor4D;
    const both = () => {
      const y = tf.conv2d(x, filter, 1, 'same');
      const tap = tf.clone(y);
      return [normalise(y), tap];
    };
    expect((await kernelsOf(() => both().map((y) => y.dataSync()))).sort()).toEqual([
      'Conv2D',
      'FusedBatchNorm',
      'Identity',
      'Reshape',
    ]);
    await expectAgreement(both, 1e-5);
    await expectAgreement(() => tf.grad((w) => normalise(tf.conv2d(x, w as tf.Tensor4D, 1, 'same')))(filter), 1e-4);
  });
});

describe('a convolution that waits', () => {
  it('keeps NaN and infinity through ReLU, packed or not', () => {
    const filter = tf.ones([1, 1, 1, 1]) as tf.Tensor4D;
    const x = tf.tensor4d([Number.NaN, Number.POSITIVE_INFINITY, -1, 2], [1, 2, 2, 1]);
    const one = tf.ones([1]) as tf.Tensor1D;
    const zero = tf.zeros([1]) as tf.Tensor1D;
    for (let input = 0; input < 3; input++) {
      const convolved = tf.conv2d(x, filter, 1, 'same');
      expect([...tf.relu(convolved).dataSync()]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 0, 2]);
      const normed = tf.batchNorm(tf.conv2d(x, filter, 1, 'same'), zero, one, zero, one, 0);
      expect([...tf.relu(normed).dataSync()]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 0, 2]);
    }
  });

  it('computes with the values that its inputs had', () => {
    const x = image([1, 4, 4, 2]);
    const filter = tf.variable(image([3, 3, 2, 2], 2));
    const expected = tf.conv2d(x, filter, 1, 'same').dataSync();
    const waiting = tf.conv2d(x, filter, 1, 'same');
    const change = { learningRate: 1, momentum: 0, weightDecay: 0, l1: 0, penalty: 0 };
    const inputs = { weight: filter, velocity: tf.zerosLike(filter), gradient: tf.onesLike(filter) };
    filter.assign(runKernel('SgdMomentumUpdate', inputs, change)[0]! as tf.Tensor4D);
    x.dispose();
    expect(waiting.dataSync()).toEqual(expected);
  });

  it('uses a filter that changed in place with its new values', () => {
    const x = image([1, 4, 4, 2]);
    const filter = tf.variable(tf.ones([1, 1, 2, 1]) as tf.Tensor4D);
    const velocity = tf.variable(tf.zeros([1, 1, 2, 1]));
    const predict = () => tf.sum(tf.conv2d(x, filter, 1, 'same')).dataSync()[0]!;
    const before = [predict(), predict(), predict()];
    tf.tidy(() => {
      const inputs = { weight: filter, velocity, gradient: tf.neg(tf.onesLike(filter)) };
      const attrs = { learningRate: 1, momentum: 0, weightDecay: 0, l1: 0, penalty: 0 };
      const [weight, moved] = runKernel('SgdMomentumUpdate', inputs, attrs);
      filter.assign(weight as tf.Tensor4D);
      velocity.assign(moved!);
    });
    const after = [predict(), predict(), predict()];
    expectClose(
      after,
      before.map((sum) => 2 * sum),
      1e-5,
    );
    expect(new Set(before).size).toBe(1);
  });

  it('that is never read leaves nothing behind, nor does one that is', () => {
    const before = memory();
    tf.tidy(() => {
      const x = image([2, 6, 6, 3]);
      const y = tf.relu(tf.conv2d(x, image([3, 3, 3, 4]), 1, 'same'));
      tf.conv2d(y, image([3, 3, 4, 4]), 1, 'same').dataSync();
      tf.relu(tf.conv2d(x, image([3, 3, 3, 4]), 1, 'same'));
    });
    expect(memory().tensors).toBe(before.tensors);
    expect(memory().bytes).toBe(before.bytes);
  });

  it('is what a layers model predicts with, and predicts the same again', async () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [8, 8, 3], filters: 6, kernelSize: 3, padding: 'same' }),
        tfl.layers.batchNormalization({}),
        tfl.layers.reLU(),
        tfl.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', useBias: false }),
        tfl.layers.batchNormalization({}),
        tfl.layers.reLU(),
        tfl.layers.globalAveragePooling2d({}),
        tfl.layers.dense({ units: 3 }),
      ],
    });
    model.setWeights(
      model.getWeights().map((weight, i) => tf.abs(tensor(weight.shape as number[], i + 1, 1)) as tf.Tensor),
    );
    const x = image([2, 8, 8, 3]);
    const predict = () => tf.tidy(() => (model.predict(x) as tf.Tensor).dataSync());
    const first = predict();
    const { rows } = await profile(predict);
    expect(rows.map(({ kernel }) => kernel).filter((name) => name.includes('+'))).toHaveLength(2);
    expect(predict()).toEqual(first);
    await tf.setBackend('cpu');
    expectClose(first, predict(), 1e-5);
  });
});
