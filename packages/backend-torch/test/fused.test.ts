import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { setPrecision } from '../src/index.ts';
import { expectClose, runKernel, tensor, values } from './helpers.ts';

beforeEach(async () => {
  await tf.setBackend('torch');
});

const EPSILON = 1e-5;

/** Batch norm written with plain ops; tfjs differentiates it. */
function composed(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, residual?: tf.Tensor): tf.Tensor {
  const axes = x.shape.map((_, i) => i).slice(0, -1);
  const { mean, variance } = tf.moments(x, axes);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, EPSILON)));
  const y = tf.add(tf.mul(normal, scale), offset);
  return residual ? tf.add(y, residual) : y;
}

describe.each<{ shape: number[]; activation: 'linear' | 'relu' | 'relu6'; withResidual: boolean }>([
  { shape: [8, 5], activation: 'linear', withResidual: false },
  { shape: [3, 4, 5, 7], activation: 'relu', withResidual: false },
  { shape: [3, 4, 5, 7], activation: 'linear', withResidual: true },
  { shape: [2, 6, 6, 33], activation: 'relu', withResidual: true },
  { shape: [2, 5, 6, 24], activation: 'relu6', withResidual: false },
  { shape: [3, 4, 4, 9], activation: 'relu6', withResidual: true },
])('BatchNormTraining $shape $activation residual=$withResidual', ({ shape, activation, withResidual }) => {
  const channels = shape.at(-1)!;
  const inputs = () => ({
    x: tf.add(tensor(shape), 3),
    scale: tensor([channels], 2),
    offset: tensor([channels], 3),
    movingMean: tensor([channels], 4),
    movingVariance: tf.abs(tensor([channels], 5)),
    ...(withResidual ? { residual: tensor(shape, 6) } : {}),
  });
  const attrs = { epsilon: EPSILON, momentum: 0.9, activation, unbiasedVariance: true };
  const activate = (y: tf.Tensor) =>
    activation === 'linear' ? y : activation === 'relu' ? tf.relu(y) : tf.clipByValue(y, 0, 6);

  it('matches the composed ops forward', () => {
    const given = inputs();
    const [y, mean, inverseStd, movingMean, movingVariance] = runKernel('BatchNormTraining', given, attrs);
    const axes = shape.map((_, i) => i).slice(0, -1);
    const moments = tf.moments(given.x, axes);
    const count = tf.util.sizeFromShape(shape) / channels;
    expectClose(y!.dataSync(), activate(composed(given.x, given.scale, given.offset, given.residual)).dataSync(), 1e-5);
    expectClose(mean!.dataSync(), moments.mean.dataSync(), 1e-6);
    expectClose(inverseStd!.dataSync(), tf.rsqrt(tf.add(moments.variance, EPSILON)).dataSync(), 1e-5);
    const moved = (old: tf.Tensor, batch: tf.Tensor) => tf.add(tf.mul(old, 0.9), tf.mul(batch, 0.1)).dataSync();
    expectClose(movingMean!.dataSync(), moved(given.movingMean, moments.mean), 1e-6);
    const unbiased = tf.mul(moments.variance, count / (count - 1));
    expectClose(movingVariance!.dataSync(), moved(given.movingVariance, unbiased), 1e-5);
  });

  it('matches the gradients that tfjs derives', () => {
    const given = inputs();
    const dy = tensor(shape, 9);
    const [y, mean, inverseStd] = runKernel('BatchNormTraining', given, attrs);
    const gradients = runKernel(
      'BatchNormTrainingGrad',
      { dy, x: given.x, y: y!, scale: given.scale, mean: mean!, inverseStd: inverseStd! },
      { activation, residual: withResidual },
    );
    const args = [given.x, given.scale, given.offset, ...(given.residual ? [given.residual] : [])];
    const expected = tf.grads((...[x, scale, offset, residual]: tf.Tensor[]) =>
      activate(composed(x!, scale!, offset!, residual)),
    )(args, dy);
    expect(gradients.length).toBe(withResidual ? 4 : 3);
    gradients.forEach((gradient, i) => {
      expect(gradient.shape).toEqual(expected[i]!.shape);
      expectClose(gradient.dataSync(), expected[i]!.dataSync(), 2e-5);
    });
  });
});

it('BatchNormTraining keeps its precision when the mean is far from 0', () => {
  const x = tf.tensor2d([10000, 10001, 10002, 10003], [4, 1]);
  const one = tf.ones([1]);
  const zero = tf.zeros([1]);
  const [y, mean, inverseStd] = runKernel(
    'BatchNormTraining',
    { x, scale: one, offset: zero, movingMean: zero, movingVariance: one },
    { epsilon: 0, momentum: 0.9, activation: 'linear', unbiasedVariance: false },
  );
  const s = Math.sqrt(1.25);
  expectClose(mean!.dataSync(), [10001.5], 1e-7);
  expectClose(inverseStd!.dataSync(), [1 / s], 1e-6);
  expectClose(y!.dataSync(), [-1.5 / s, -0.5 / s, 0.5 / s, 1.5 / s], 1e-6);
});

describe('SoftmaxCrossEntropy', () => {
  it('gives loss and softmax - oneHot', () => {
    const logits = tensor([6, 5], 1, 20);
    const labels = tf.tensor1d([0, 4, 2, 2, 1, 3], 'int32');
    const [loss, gradient] = runKernel('SoftmaxCrossEntropy', { logits, labels });
    const target = tf.oneHot(labels, 5);
    expectClose(
      loss!.dataSync(),
      tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits as tf.Tensor2D), target), 1)).dataSync(),
      1e-5,
    );
    expectClose(gradient!.dataSync(), tf.sub(tf.softmax(logits), target).dataSync(), 1e-6);
  });

  it('stays finite for logits far apart', () => {
    const logits = tf.tensor2d([1000, -1000, 0], [1, 3]);
    const [loss] = runKernel('SoftmaxCrossEntropy', { logits, labels: tf.tensor1d([1], 'int32') });
    expectClose(loss!.dataSync(), [2000], 1e-6);
  });

  it.each([3, -1])('refuses label %i of 3 classes', (label) => {
    const logits = tensor([2, 3]);
    const labels = tf.tensor1d([0, label], 'int32');
    expect(() => runKernel('SoftmaxCrossEntropy', { logits, labels })).toThrow(
      `label ${label} of image 1 is outside [0, 3)`,
    );
    expect(() => runKernel('SoftmaxCrossEntropy', { logits, labels: tf.tensor1d([0], 'int32') })).toThrow('2 labels');
  });
});

describe('SgdMomentumUpdate', () => {
  const attrs = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, l1: 0.02, penalty: 0.5 };

  function expected(w: Float32Array, v: Float32Array, g: Float32Array, p: Float32Array) {
    const velocity = w.map((x, i) => 0.9 * v[i]! + g[i]! + 0.5 * p[i]! + 0.02 * Math.sign(x) + 0.01 * x);
    return {
      velocity,
      weight: w.map((x, i) => x - 0.1 * velocity[i]!),
      norm: w.reduce((sum, x) => sum + Math.abs(x), 0),
    };
  }

  it.each([[[7]], [[40, 30]], [[3, 3, 5, 4]], [[1, 1, 8, 3]]])('shape %j', (shape) => {
    const size = tf.util.sizeFromShape(shape);
    const [w, v, g, p] = [1, 2, 3, 4].map((seed) => values(size, seed)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    w[0] = 0;
    const want = expected(w, v, g, p);
    const inputs = {
      weight: tf.tensor(w, shape),
      velocity: tf.tensor(v, shape),
      gradient: tf.tensor(g, shape),
      penaltyGradient: tf.tensor(p, shape),
    };
    const [weight, velocity, norm] = runKernel('SgdMomentumUpdate', inputs, attrs);
    expectClose(weight!.dataSync(), want.weight, 1e-6);
    expectClose(velocity!.dataSync(), want.velocity, 1e-6);
    expectClose(norm!.dataSync(), [want.norm], 1e-6);
    // A second step starts from the outputs, whose memory layout may differ from the first inputs'.
    const again = expected(Float32Array.from(want.weight), Float32Array.from(want.velocity), g, p);
    const [weight2] = runKernel('SgdMomentumUpdate', { ...inputs, weight: weight!, velocity: velocity! }, attrs);
    expectClose(weight2!.dataSync(), again.weight, 2e-6);
  });

  it('updates owned memory in place and never what somebody else refers to', () => {
    const plain = { learningRate: 1, momentum: 0, weightDecay: 0, l1: 0, penalty: 0 };
    const initial = tf.tensor1d([1, 2]);
    const variable = tf.variable(initial);
    initial.dispose();
    const velocity = tf.tensor1d([0, 0]);
    const gradient = tf.tensor1d([1, 1]);
    const [owned] = runKernel('SgdMomentumUpdate', { weight: variable, velocity, gradient }, plain);
    expect(owned!.dataId).toBe(variable.dataId);
    variable.assign(owned as tf.Tensor1D);
    owned!.dispose();
    expectClose(variable.dataSync(), [0, 1], 0);

    const snapshot = tf.clone(variable);
    const [copied] = runKernel('SgdMomentumUpdate', { weight: variable, velocity, gradient }, plain);
    expect(copied!.dataId).not.toBe(variable.dataId);
    expectClose(snapshot.dataSync(), [0, 1], 0);
    expectClose(copied!.dataSync(), [-1, 0], 0);
  });

  it('takes the same tensor in two roles', () => {
    const both = tf.tensor1d([1, -2]);
    const [weight, velocity] = runKernel('SgdMomentumUpdate', { weight: both, velocity: both, gradient: both }, attrs);
    expectClose(velocity!.dataSync(), [0.9 + 1 + 0.02 + 0.01, -1.8 - 2 - 0.02 - 0.02], 1e-6);
    expectClose(weight!.dataSync(), [1 - 0.193, -2 + 0.384], 1e-6);
    expectClose(both.dataSync(), [1, -2], 0);
  });
});

describe('Taylor importance', () => {
  const shape = [6, 3, 2, 5];
  const labels = [2, 0, 2, 1, 0, 2];
  const size = 180;

  it('counts the images of each class above the threshold, position by position', () => {
    const a = values(size, 1).map((x, i) => (i % 7 === 0 ? 0 : x));
    const g = values(size, 2, 1e-3);
    for (const threshold of [0, 5e-4]) {
      const counts = new Int32Array(3 * 30);
      a.forEach((x, i) => {
        const class_ = labels[Math.floor(i / 30)]!;
        if (Math.abs(Math.fround(x * g[i]!)) > Math.fround(threshold)) counts[class_ * 30 + (i % 30)]!++;
      });
      const [output] = runKernel(
        'TaylorCount',
        { activation: tf.tensor(a, shape), gradient: tf.tensor(g, shape), labels: tf.tensor1d(labels, 'int32') },
        { threshold, classes: 3 },
      );
      expect(output!.shape).toEqual([3, 3, 2, 5]);
      expect(output!.dtype).toBe('int32');
      expect(Array.from(output!.dataSync())).toEqual(Array.from(counts));
    }
  });

  it('sums per class and channel', () => {
    const a = values(size, 1);
    const g = values(size, 2);
    const sums = new Float64Array(4 * 5);
    a.forEach((x, i) => {
      sums[labels[Math.floor(i / 30)]! * 5 + (i % 5)]! += Math.abs(x * g[i]!);
    });
    const [output] = runKernel(
      'TaylorSum',
      { activation: tf.tensor(a, shape), gradient: tf.tensor(g, shape), labels: tf.tensor1d(labels, 'int32') },
      { classes: 4 },
    );
    expect(output!.shape).toEqual([4, 5]);
    expectClose(output!.dataSync(), sums, 1e-6);
  });

  it('refuses labels outside the classes and gradients of another shape', () => {
    const inputs = { activation: tensor([2, 3]), gradient: tensor([2, 3]), labels: tf.tensor1d([0, 3], 'int32') };
    expect(() => runKernel('TaylorSum', inputs, { classes: 3 })).toThrow('label 3 of image 1 is outside [0, 3)');
    expect(() =>
      runKernel('TaylorCount', { ...inputs, gradient: tensor([2, 4]) }, { classes: 4, threshold: 0 }),
    ).toThrow('gradient of the activation');
  });
});

describe('ConvOrthogonality', () => {
  /** The definition, in double: R(d) = sum over t of K(t) K(t+d)^T - I[d = 0]. */
  function reference(k: Float64Array, inputs: number, outputs: number) {
    const at = (y: number, x: number, i: number, o: number) =>
      y < 0 || x < 0 || y > 2 || x > 2 ? 0 : k[((y * 3 + x) * inputs + i) * outputs + o]!;
    const offsets = [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((x) => [y, x] as const));
    const taps = [0, 1, 2].flatMap((y) => [0, 1, 2].map((x) => [y, x] as const));
    let squared = 0;
    const gradient = new Float64Array(k.length);
    for (const [dy, dx] of offsets) {
      for (let n = 0; n < outputs; n++) {
        for (let m = 0; m < outputs; m++) {
          let r = dy === 0 && dx === 0 && n === m ? -1 : 0;
          for (const [y, x] of taps) for (let i = 0; i < inputs; i++) r += at(y, x, i, n) * at(y + dy, x + dx, i, m);
          squared += r * r;
          taps.forEach(([y, x], t) => {
            for (let i = 0; i < inputs; i++) gradient[(t * inputs + i) * outputs + n]! += r * at(y + dy, x + dx, i, m);
          });
        }
      }
    }
    const loss = Math.sqrt(squared);
    return { loss, gradient: gradient.map((g) => (2 * g) / loss) };
  }

  it.each([
    [1, 1],
    [3, 4],
    [5, 2],
    [16, 24],
  ])('%i inputs, %i outputs', (inputs, outputs) => {
    const k = values(9 * inputs * outputs, 3, 0.3);
    const want = reference(Float64Array.from(k), inputs, outputs);
    const [norm, gradient] = runKernel('ConvOrthogonality', { kernel: tf.tensor4d(k, [3, 3, inputs, outputs]) });
    expect(norm!.shape).toEqual([]);
    expect(gradient!.shape).toEqual([3, 3, inputs, outputs]);
    expectClose(norm!.dataSync(), [want.loss], 1e-6);
    expectClose(gradient!.dataSync(), want.gradient, 2e-6);
  });

  it('has the gradient that finite differences of the loss give', () => {
    const k = values(9 * 2 * 3, 5, 0.4);
    const loss = (kernel: Float32Array) => reference(Float64Array.from(kernel), 2, 3).loss;
    const [, gradient] = runKernel('ConvOrthogonality', { kernel: tf.tensor4d(k, [3, 3, 2, 3]) });
    const differences = k.map((_, i) => {
      const up = Float64Array.from(k);
      const down = Float64Array.from(k);
      up[i]! += 1e-4;
      down[i]! -= 1e-4;
      return (reference(up, 2, 3).loss - reference(down, 2, 3).loss) / 2e-4;
    });
    expect(loss(k)).toBeGreaterThan(0.5);
    expectClose(gradient!.dataSync(), differences, 1e-5);
  });

  it('stays close in bfloat16', () => {
    const [inputs, outputs] = [32, 48];
    const k = values(9 * inputs * outputs, 3, 0.3);
    const want = reference(Float64Array.from(k), inputs, outputs);
    setPrecision('bfloat16');
    try {
      const [norm, gradient] = runKernel('ConvOrthogonality', { kernel: tf.tensor4d(k, [3, 3, inputs, outputs]) });
      expect(Math.abs(norm!.dataSync()[0]! / want.loss - 1)).toBeLessThan(5e-3);
      const actual = gradient!.dataSync();
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
      const cosine = dot(actual, want.gradient) / Math.sqrt(dot(actual, actual) * dot(want.gradient, want.gradient));
      expect(cosine).toBeGreaterThan(0.9999);
      expect(cosine).toBeLessThan(1);
    } finally {
      setPrecision('float32');
    }
  });

  it('is 0 with gradient 0 at an orthogonal kernel', () => {
    const k = new Float32Array(9);
    k[4] = 1;
    const [norm, gradient] = runKernel('ConvOrthogonality', { kernel: tf.tensor4d(k, [3, 3, 1, 1]) });
    expect(norm!.dataSync()[0]).toBe(0);
    expect(Array.from(gradient!.dataSync())).toEqual(new Array(9).fill(0));
  });

  it('refuses kernels that are not 3x3', () => {
    expect(() => runKernel('ConvOrthogonality', { kernel: tensor([5, 5, 2, 2]) })).toThrow('[3, 3, in, out]');
  });
});
