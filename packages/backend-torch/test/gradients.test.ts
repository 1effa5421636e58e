import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { profile } from '../src/index.ts';
import { expectAgreement, on, tensor } from './helpers.ts';

const parameters = () => ({
  mean: tensor([3], 2) as tf.Tensor1D,
  variance: tf.abs(tensor([3], 3)) as tf.Tensor1D,
  offset: tensor([3], 4) as tf.Tensor1D,
  scale: tensor([3], 5) as tf.Tensor1D,
});

describe('gradients of batch norm', () => {
  it.each([[[4, 3]], [[2, 3, 3, 3]]])('of x %j and of all parameters agree with cpu', async (shape) => {
    const all = () => {
      const { mean, variance, offset, scale } = parameters();
      const f = (...[x, mean, variance, offset, scale]: tf.Tensor[]) =>
        tf.batchNorm(x!, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D);
      return tf.grads(f)([tensor(shape), mean, variance, offset, scale], tensor(shape, 6));
    };
    await expectAgreement(all, 1e-4);
    const { rows } = await on('torch', () => profile(() => tf.tidy(() => void all())));
    expect(rows.find(({ kernel }) => kernel === 'BatchNormTrainingGrad')?.count).toBe(1);
  });

  it('through the statistics of the batch, as layers train, agree with cpu', async () => {
    await expectAgreement(() => {
      const { offset, scale } = parameters();
      const f = (x: tf.Tensor) => {
        const { mean, variance } = tf.moments(x, [0, 1, 2]);
        return tf.batchNorm4d(
          x as tf.Tensor4D,
          mean as tf.Tensor1D,
          variance as tf.Tensor1D,
          offset,
          scale,
          0.1,
        ) as tf.Tensor;
      };
      return tf.grad(f)(tensor([2, 3, 3, 3]), tensor([2, 3, 3, 3], 6));
    }, 1e-4);
  });

  it('of the second order are those of tfjs-core', async () => {
    await expectAgreement(() => {
      const { mean, variance, offset, scale } = parameters();
      const f = (x: tf.Tensor) => tf.sum(tf.square(tf.batchNorm(x, mean, variance, offset, scale)));
      return tf.grad((x) => tf.sum(tf.square(tf.grad(f)(x))))(tensor([2, 2, 2, 3]));
    }, 1e-4);
  });
});

describe('gradients of the mean', () => {
  it.each<[number[] | undefined, boolean]>([
    [undefined, false],
    [[0], false],
    [[-1, 1], true],
    [[2], true],
  ])('over axes %j, keepDims %j, agree with cpu', async (axes, keepDims) => {
    const f = (x: tf.Tensor) => tf.square(tf.mean(x, axes, keepDims));
    await expectAgreement(() => tf.grad(f)(tensor([2, 3, 4])));
    await expectAgreement(() => tf.grad((x) => tf.sum(tf.square(tf.grad(f)(x))))(tensor([2, 3, 4])));
  });
});

it("another backend keeps tfjs-core's gradients", async () => {
  const { rows } = await profile(() =>
    on('cpu', () =>
      tf.tidy(
        () =>
          void tf
            .grad((x: tf.Tensor) => tf.mean(x))(tensor([2, 3]))
            .dataSync(),
      ),
    ),
  );
  expect(rows).toEqual([]);
});
