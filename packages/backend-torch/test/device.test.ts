import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { check } from '../fuzz/check.ts';
import { FAMILIES } from '../fuzz/families/index.ts';
import { loadBinding } from '../src/binding.ts';
import { kernelsFromEnvironment } from '../src/device.ts';
import { precision, setPrecision, type TorchBackend } from '../src/index.ts';
import { expectClose, runKernel, tensor } from './helpers.ts';
import { chooseStrictDevice, loadStrictDevice } from './strict-device/strict-device.ts';

const native = loadBinding();
const strict = loadStrictDevice();
const DEVICES = {
  /** Forbids what a GPU would not allow: touching its memory, mixing devices. */
  strict: () => chooseStrictDevice(native),
  /** ATen's own kernels for the processor, where a kernel of this package would be faster. */
  portable: () => native.setDevice('cpu', true),
};

beforeEach(async () => {
  await tf.setBackend('torch');
});

afterEach(() => {
  native.setDevice('cpu', false);
});

type Outputs = tf.Tensor | tf.Tensor[];

function valuesOf(run: () => Outputs): Float32Array[] {
  return tf.tidy(() => [run()].flat().map((output) => Float32Array.from(output.dataSync())));
}

describe.each(Object.keys(DEVICES) as (keyof typeof DEVICES)[])('on the %s device', (name) => {
  it.each(FAMILIES.map((family) => [family.name, family] as const))('%s agrees with cpu', async (_, family) => {
    DEVICES[name]();
    const { failure, compared } = await check(family, { cases: 8, seed: 4 });
    expect(failure && { reason: failure.reason, counterexample: failure.counterexample }).toBe(undefined);
    expect(compared).toBeGreaterThan(0);
  });

  const labels = () => tf.tensor1d([2, 0, 2, 1], 'int32');
  const fused: Record<string, () => Outputs> = {
    TaylorCount: () =>
      runKernel(
        'TaylorCount',
        { activation: tensor([4, 3, 2, 5]), gradient: tensor([4, 3, 2, 5], 2), labels: labels() },
        { threshold: 0.5, classes: 3 },
      ),
    TaylorSum: () =>
      runKernel(
        'TaylorSum',
        { activation: tensor([4, 3, 2, 5]), gradient: tensor([4, 3, 2, 5], 2), labels: labels() },
        { classes: 3 },
      ),
    ConvOrthogonality: () => runKernel('ConvOrthogonality', { kernel: tensor([3, 3, 5, 7]) }),
    'ConvOrthogonality of one filter': () => runKernel('ConvOrthogonality', { kernel: tensor([3, 3, 2, 1]) }),
    'SgdMomentumUpdate of a filter': () =>
      runKernel(
        'SgdMomentumUpdate',
        {
          weight: tensor([3, 3, 4, 6]),
          velocity: tensor([3, 3, 4, 6], 2),
          gradient: tensor([3, 3, 4, 6], 3),
          penaltyGradient: tensor([3, 3, 4, 6], 4),
        },
        { learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4, l1: 1e-3, penalty: 0.01 },
      ),
    'BatchNormTraining of one row': () => {
      const vector = () => tensor([3], 5);
      return runKernel(
        'BatchNormTraining',
        {
          x: tensor([1, 3]),
          scale: vector(),
          offset: vector(),
          movingMean: vector(),
          movingVariance: tf.abs(vector()),
        },
        { epsilon: 1e-3, momentum: 0.9, activation: 'linear', unbiasedVariance: true },
      );
    },
    'a convolution of a small map': () =>
      tf.grads((x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'))([
        tensor([3, 2, 2, 8]),
        tensor([3, 3, 8, 16]),
      ]),
    'a convolution of a narrow filter': () =>
      tf.grads((x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'))([
        tensor([2, 8, 8, 16]),
        tensor([3, 3, 16, 16]),
      ]),
    'batch norm and ReLU behind a convolution, at inference': () => {
      const y = tf.conv2d(tensor([2, 6, 6, 3]) as tf.Tensor4D, tensor([3, 3, 3, 4]) as tf.Tensor4D, 1, 'same');
      return tf.relu(tf.batchNorm(y, tensor([4]), tf.abs(tensor([4], 2)), tensor([4], 3), tensor([4], 4)));
    },
  };
  it.each(Object.entries(fused))('%s agrees with the kernel for the processor', (_, run) => {
    const expected = valuesOf(run);
    DEVICES[name]();
    const actual = valuesOf(run);
    expect(actual.length).toBe(expected.length);
    for (const [i, values] of expected.entries()) expectClose(actual[i]!, values, 1e-5);
  });

  it('a label outside of the classes gives NaN to its image alone', () => {
    DEVICES[name]();
    const [loss, gradient] = valuesOf(() =>
      runKernel('SoftmaxCrossEntropy', { logits: tf.zeros([2, 2]), labels: tf.tensor1d([1, 2], 'int32') }),
    );
    expect([...loss!].map((value) => value.toFixed(4))).toEqual(['0.6931', 'NaN']);
    expect([...gradient!]).toEqual([0.5, -0.5, Number.NaN, Number.NaN]);
  });

  it('labels outside of the classes are refused by scores', () => {
    DEVICES[name]();
    const inputs = { activation: tensor([2, 3]), gradient: tensor([2, 3]), labels: tf.tensor1d([0, 5], 'int32') };
    expect(() => runKernel('TaylorSum', inputs, { classes: 3 })).toThrow('label 5 of image 1 is outside [0, 3)');
  });

  it('convolutions are not packed for the processor', () => {
    DEVICES[name]();
    expect(native.canPackConvolution()).toBe(false);
  });
});

/** Forward, backward and update of a small network, as a trainer calls the kernels. */
function trainingStep(weights: { filter: tf.Variable; dense: tf.Variable }, velocities: tf.Tensor[]): tf.Tensor {
  const images = tensor([4, 8, 8, 3]) as tf.Tensor4D;
  const labels = tf.tensor1d([0, 1, 2, 1], 'int32');
  const { value, grads } = tf.variableGrads(() => {
    const y = tf.relu(tf.conv2d(images, weights.filter as tf.Tensor4D, 1, 'same'));
    const pooled = tf.avgPool(tf.maxPool(y as tf.Tensor4D, 2, 2, 'same'), 2, 2, 'same');
    const logits = tf.matMul(tf.reshape(pooled, [4, -1]), weights.dense as tf.Tensor2D);
    return tf.mean(tf.neg(tf.sum(tf.mul(tf.oneHot(labels, 3), tf.logSoftmax(logits)), -1)));
  });
  const x = tensor([4, 4, 4, 8]);
  const vector = tf.ones([8]);
  const [y, mean, inverseStd] = runKernel(
    'BatchNormTraining',
    { x, scale: vector, offset: vector, movingMean: vector, movingVariance: vector, residual: x },
    { epsilon: 1e-5, momentum: 0.9, activation: 'relu', unbiasedVariance: true },
  );
  runKernel(
    'BatchNormTrainingGrad',
    { dy: x, x, y: y!, scale: vector, mean: mean!, inverseStd: inverseStd! },
    { activation: 'relu', residual: true },
  );
  runKernel('SoftmaxCrossEntropy', { logits: tensor([4, 3]), labels });
  runKernel('ConvOrthogonality', { kernel: weights.filter });
  for (const [i, weight] of [weights.filter, weights.dense].entries()) {
    const inputs = { weight, velocity: velocities[i]!, gradient: grads[weight.name]! };
    const attrs = { learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4, l1: 1e-4, penalty: 0 };
    weight.assign(runKernel('SgdMomentumUpdate', inputs, attrs)[0]!);
  }
  return value;
}

describe('a device that works on its own', () => {
  const run = (steps: number) => {
    const weights = { filter: tf.variable(tensor([3, 3, 3, 8])), dense: tf.variable(tensor([32, 3])) };
    const losses = tf.tidy(() =>
      Array.from({ length: steps }, () => trainingStep(weights, [tf.zeros([3, 3, 3, 8]), tf.zeros([32, 3])])).map(
        (loss) => tf.keep(loss),
      ),
    );
    tf.dispose([weights.filter, weights.dense]);
    return losses;
  };

  it('trains without being waited for, to the losses of the processor', () => {
    const expected = run(3).map((loss) => loss.dataSync()[0]!);
    chooseStrictDevice(native);
    const before = strict.counts();
    const losses = run(3);
    expect(strict.counts()).toEqual(before);
    const actual = losses.map((loss) => loss.dataSync()[0]!);
    expect(strict.counts().waits).toBe(before.waits + 3);
    expectClose(actual, expected, 1e-5);
    tf.dispose(losses);
  });

  it('is read by data() without being waited for, and gives the values of the call', async () => {
    chooseStrictDevice(native);
    const backend = tf.backend() as TorchBackend;
    const weight = native.fromArray(new Float32Array([1, 2]), [2], 'float32');
    const zeros = native.fromArray(new Float32Array(2), [2], 'float32');
    const ones = native.fromArray(new Float32Array([1, 1]), [2], 'float32');
    const before = strict.counts();
    const reading = native.toArrayAsync(weight);
    const [kept, , norm] = native.sgdMomentumUpdate(weight, zeros, ones, null, 1, 0, 0, 0, 0, true, true);
    expect(kept).toBe(null);
    expect(strict.counts()).toEqual({ waits: before.waits, events: before.events + 1 });
    expect([...(await reading)]).toEqual([1, 2]);
    expect([...native.toArray(weight)]).toEqual([0, 1]);
    for (const handle of [weight, zeros, ones, norm]) native.release(handle);

    const all = {
      float: tensor([3]),
      int: tf.tensor1d([3, 4], 'int32'),
      bool: tf.tensor1d([true, false], 'bool'),
      empty: tensor([0, 2]),
    };
    expect([...(await all.float.data())]).toEqual([...all.float.dataSync()]);
    expect([...(await all.int.data())]).toEqual([3, 4]);
    expect([...(await all.bool.data())]).toEqual([1, 0]);
    expect(await all.empty.data()).toHaveLength(0);
    tf.dispose(all);
    await expect(backend.read({})).rejects.toThrow('never registered');
  });

  it('is waited for by tf.time, whose figures would mean nothing otherwise', async () => {
    chooseStrictDevice(native);
    const before = strict.counts().waits;
    await tf.time(() => tf.relu(tf.zeros([2])));
    expect(strict.counts().waits).toBe(before + 2);
  });

  it('takes the tensors that exist, once', () => {
    const x = tensor([2, 3]);
    const view = tf.reshape(x, [3, 2]);
    const put = tf.conv2d(tensor([1, 4, 4, 2]) as tf.Tensor4D, tensor([3, 3, 2, 2]) as tf.Tensor4D, 1, 'same');
    const expected = valuesOf(() => [tf.square(x), tf.square(view), tf.square(put)]);
    chooseStrictDevice(native);
    const actual = valuesOf(() => [tf.square(x), tf.square(view), tf.square(put)]);
    native.setDevice('cpu', false);
    const back = valuesOf(() => [tf.square(x), tf.square(view), tf.square(put)]);
    for (const [i, values] of expected.entries()) {
      expectClose(actual[i]!, values, 1e-6);
      expectClose(back[i]!, values, 1e-6);
    }
    tf.dispose([x, view, put]);
  });
});

it('precision tf32 is a setting of its own', () => {
  setPrecision('tf32');
  expect(precision()).toBe('tf32');
  expect(tf.env().getBool('TF32_COMPUTE')).toBe(true);
  setPrecision('bfloat16');
  expect(tf.env().getBool('TF32_COMPUTE')).toBe(false);
  setPrecision('float32');
  expect(precision()).toBe('float32');
});

it('SECATEUR_KERNELS is checked', () => {
  expect(kernelsFromEnvironment({})).toBe('own');
  expect(kernelsFromEnvironment({ SECATEUR_KERNELS: 'portable' })).toBe('portable');
  expect(() => kernelsFromEnvironment({ SECATEUR_KERNELS: 'aten' })).toThrow("'own' or 'portable', but got 'aten'");
});
