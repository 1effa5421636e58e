import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { precision, setPrecision, type TorchBackend } from '../src/index.ts';
import { runKernel, tensor } from './helpers.ts';

beforeEach(async () => {
  await tf.setBackend('torch');
});
afterEach(() => setPrecision('float32'));

function storage(x: tf.Tensor): string {
  const backend = tf.backend() as TorchBackend;
  return backend.native.storageType(backend.handle(x));
}

/** Relative distance in the Euclidean norm. */
function distance(a: tf.Tensor, b: tf.Tensor): number {
  return tf.norm(tf.sub(a, b)).dataSync()[0]! / tf.norm(b).dataSync()[0]!;
}

it('stores activations in bfloat16 and reduces to float32', () => {
  setPrecision('bfloat16');
  expect(precision()).toBe('bfloat16');
  const x = tensor([2, 8, 8, 16]) as tf.Tensor4D;
  const filter = tensor([3, 3, 16, 32], 2, 0.1) as tf.Tensor4D;
  const y = tf.conv2d(x, filter, 1, 'same');
  expect(y.dtype).toBe('float32');
  expect(storage(y)).toBe('bfloat16');
  const kept = [
    tf.relu(y),
    tf.maxPool(y, 2, 2, 'valid'),
    tf.add(y, tf.ones([32])),
    tf.mul(2, y),
    tf.add(y, y),
    tf.step(y),
  ];
  expect(kept.map(storage)).toEqual(kept.map(() => 'bfloat16'));
  const reduced = [tf.sum(y), tf.mean(y, [1, 2]), tf.softmax(y)];
  expect(reduced.map(storage)).toEqual(reduced.map(() => 'float32'));
  expect(y.dataSync()).toBeInstanceOf(Float32Array);
});

it('reads the rounded values back as float32', () => {
  setPrecision('bfloat16');
  // 1 + 2^-8 lies halfway between two bfloat16 numbers and rounds to the even one.
  const product = tf.matMul(tf.tensor2d([[1 + 2 ** -7, 1 + 2 ** -8, 3]], [1, 3]), tf.eye(3));
  expect(Array.from(product.dataSync())).toEqual([1 + 2 ** -7, 1, 3]);
});

it('gives gradients close to float32, filters in float32', () => {
  const x = tensor([8, 8, 8, 16]) as tf.Tensor4D;
  const filter = tensor([3, 3, 16, 32], 2, 0.1) as tf.Tensor4D;
  const loss = (a: tf.Tensor, f: tf.Tensor) =>
    tf.sum(tf.square(tf.relu(tf.conv2d(a as tf.Tensor4D, f as tf.Tensor4D, 2, 'same'))));
  const exact = tf.grads(loss)([x, filter]);
  setPrecision('bfloat16');
  const [dx, dw] = tf.grads(loss)([x, filter]);
  expect(storage(dw!)).toBe('float32');
  expect(distance(dx!, exact[0]!)).toBeLessThan(0.01);
  expect(distance(dw!, exact[1]!)).toBeLessThan(0.01);
  expect(distance(dx!, exact[0]!)).toBeGreaterThan(1e-5);
});

it('batch norm and its gradient keep bfloat16 storage and float32 parameters', () => {
  setPrecision('bfloat16');
  const y = tf.conv2d(tensor([4, 8, 8, 16]) as tf.Tensor4D, tensor([3, 3, 16, 32], 2, 0.1) as tf.Tensor4D, 1, 'same');
  const vector = (seed: number) => tf.abs(tensor([32], seed));
  const run = (x: tf.Tensor) => {
    const [z, mean, inverseStd] = runKernel(
      'BatchNormTraining',
      { x, scale: vector(3), offset: vector(4), movingMean: vector(5), movingVariance: vector(6), residual: x },
      { epsilon: 1e-5, momentum: 0.9, activation: 'relu', unbiasedVariance: true },
    );
    const gradients = runKernel(
      'BatchNormTrainingGrad',
      { dy: z!, x, y: z!, scale: vector(3), mean: mean!, inverseStd: inverseStd! },
      { activation: 'relu', residual: true },
    );
    return [z!, mean!, ...gradients];
  };
  const rounded = run(y);
  const exact = run(tf.tensor(y.dataSync(), y.shape));
  expect(rounded.map(storage)).toEqual(['bfloat16', 'float32', 'bfloat16', 'float32', 'float32', 'bfloat16']);
  rounded.forEach((output, i) => {
    expect(distance(output, exact[i]!)).toBeLessThan(0.01);
  });
});

it('rejects nothing that float32 takes: dense, depthwise, strided, dilated', () => {
  setPrecision('bfloat16');
  const x = tensor([2, 9, 9, 6]) as tf.Tensor4D;
  const outputs = (): tf.Tensor[] => [
    tf.depthwiseConv2d(x, tensor([3, 3, 6, 2], 2) as tf.Tensor4D, 2, 'same'),
    tf.conv2d(x, tensor([3, 3, 6, 5], 2) as tf.Tensor4D, 1, 'valid', 'NHWC', 2),
    tf.fused.conv2d({
      x,
      filter: tensor([1, 1, 6, 3], 2) as tf.Tensor4D,
      strides: 2,
      pad: 'valid',
      bias: tensor([3], 3) as tf.Tensor1D,
      activation: 'relu',
    }),
    tf.fused.matMul({
      a: tensor([5, 7]),
      b: tensor([7, 3], 2),
      bias: tensor([3], 3) as tf.Tensor1D,
      activation: 'relu',
    }),
    tf.matMul(tensor([2, 5, 7]), tensor([2, 7, 3], 2)),
  ];
  const rounded = outputs();
  setPrecision('float32');
  const exact = outputs();
  rounded.forEach((output, i) => {
    expect(distance(output, exact[i]!)).toBeLessThan(0.01);
  });
});
