// What fuzzing found once, kept as cases that a reader can follow.
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadBinding } from '../src/binding.ts';
import { memory } from '../src/index.ts';
import { expectAgreement, runKernel, tensor } from './helpers.ts';

const native = loadBinding();

describe('results agree with cpu', () => {
  it('padding around an axis of length 0', async () => {
    await expectAgreement(() =>
      tf.pad(
        tensor([2, 0]),
        [
          [1, 0],
          [0, 0],
        ],
        3,
      ),
    );
    await expectAgreement(() =>
      tf.pad(
        tensor([2, 0]),
        [
          [0, 0],
          [1, 1],
        ] as [[number, number], [number, number]],
        3,
      ),
    );
  });

  it('a strided slice that ends before it begins, and one of nothing', async () => {
    await expectAgreement(() => tf.stridedSlice(tensor([1, 0, 2]), [0, 0, 1], [0, 0, 0], [1, 1, 1]));
    await expectAgreement(() => tf.stridedSlice(tensor([0]), [0], [0], [-2]));
  });

  it('a convolution over no channels is its bias', async () => {
    await expectAgreement(() =>
      tf.fused.conv2d({
        x: tensor([1, 3, 3, 0]) as tf.Tensor4D,
        filter: tensor([2, 2, 0, 3]) as tf.Tensor4D,
        bias: tf.tensor1d([-1, 0, 2]),
        strides: 1,
        pad: 'same',
        activation: 'relu',
      }),
    );
  });

  it('a convolution whose output leaves out more than the input', async () => {
    const dilated = () =>
      tf.conv2d(
        tensor([1, 3, 3, 1]) as tf.Tensor4D,
        tensor([3, 1, 1, 1]) as tf.Tensor4D,
        1,
        2,
        'NHWC',
        [3, 1],
        'floor',
      );
    await expectAgreement(dilated);
    const above: tf.backend_util.ExplicitPadding = [
      [0, 0],
      [0, 0],
      [2, 0],
      [0, 0],
    ];
    const strided = (x: tf.Tensor, filter: tf.Tensor) =>
      tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, [1, 3], above, 'NHWC', 1, 'floor');
    await expectAgreement(() => {
      const inputs = [tensor([1, 1, 1, 1]), tensor([1, 1, 1, 1], 2)];
      const y = strided(inputs[0]!, inputs[1]!);
      return [y, ...tf.grads(strided)(inputs, tf.onesLike(y))];
    });
  });

  it('gradients of windows whose output size was rounded up', async () => {
    const x = () => tensor([1, 4, 4, 2]) as tf.Tensor4D;
    const filter = () => tensor([3, 3, 2, 2]) as tf.Tensor4D;
    const convolve = (x: tf.Tensor, filter: tf.Tensor) =>
      tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, 0, 'NHWC', 1, 'ceil');
    await expectAgreement(() => tf.grads(convolve)([x(), filter()], tensor([1, 2, 2, 2])), 1e-4);
    for (const pool of [tf.maxPool, tf.avgPool]) {
      await expectAgreement(() =>
        tf.grad((x: tf.Tensor) => pool(x as tf.Tensor4D, 3, 2, 0, 'ceil'))(x(), tensor([1, 2, 2, 2])),
      );
    }
  });

  it('bounds beyond float32', async () => {
    const far = Number.MAX_VALUE;
    await expectAgreement(() => tf.clipByValue([-Infinity, -2, 0, 3e38, Infinity, NaN], -far, far));
    await expectAgreement(() => tf.clipByValue([-1, 3e38], 0, far));
    await expectAgreement(() => tf.clipByValue(tf.tensor1d([-7, 7], 'int32'), -far, 2));
  });

  it('quotients beyond 2^63 become int32 as in JavaScript', async () => {
    await expectAgreement(() => tf.floorDiv(tf.tensor1d([1e30, -3e25, 7]), tf.tensor1d([0.7, 0.3, 2])));
  });
});

describe('a wrong call is an Error', () => {
  beforeEach(async () => {
    await tf.setBackend('torch');
  });

  /** Calls with fresh tensors of these shapes, and leaves none behind. */
  const refused = (shapes: number[][], call: (...handles: number[]) => unknown, message: RegExp) => {
    const before = memory().tensors;
    const handles = shapes.map((shape) => native.filled(shape, 1, 'float32'));
    expect(() => call(...handles)).toThrow(message);
    for (const handle of handles) native.release(handle);
    expect(memory().tensors).toBe(before);
  };

  it('a list that is all holes', () => {
    refused([[2]], (x) => native.sum(x, new Array(2 ** 32 - 1)), /integer/);
  });

  it('values that go away while their shape is read', () => {
    const values = new Float32Array(2);
    const shape = Object.defineProperty([0], 0, {
      get() {
        structuredClone(values.buffer, { transfer: [values.buffer] });
        return 2;
      },
    });
    expect(() => native.fromArray(values, shape, 'float32')).toThrow('expected 2 values');
  });

  it('a bias, repeats, a condition and a gradient of the wrong shape', () => {
    const window = [1, 1, 0, 0, 1, 1, 2, 2];
    refused(
      [[1, 2, 2, 3], [1, 1, 3, 4], [2]],
      (x, filter, bias) => native.conv2d(x, filter, bias, window, false, 'linear', 0),
      /bias of shape \[4\]/,
    );
    refused([[2, 3]], (x) => native.tile(x, [2, 2, 2]), /expected 2 integers/);
    refused([[3], [1], [1]], (condition, t, e) => native.select(condition, t, e), /first choice's shape/);
    refused([[2, 2], [2]], (dy, y) => native.eluGrad(dy, y), /one shape/);
  });

  it('windows over what is no image, and strides of 0, also where tfjs-backend-cpu would loop over them', () => {
    const image = tf.zeros([1, 4, 4, 1], 'int32');
    const filter = tf.zeros([2, 2, 1, 1], 'int32');
    const attrs = { strides: 1, pad: 'same', dilations: 1, dataFormat: 'NHWC' };
    expect(() => runKernel('Conv2D', { x: tf.zeros([4]), filter }, attrs)).toThrow('shape [4]');
    expect(() => runKernel('Conv2D', { x: image, filter }, { ...attrs, strides: 0 })).toThrow('strides, but got [0]');
    expect(() => runKernel('MaxPool', { x: image }, { ...attrs, filterSize: 2, pad: 2 ** 53 })).toThrow('below 2^31');
  });

  it('windows that would step for ever or beyond all numbers', () => {
    refused([[1, 2, 2, 0]], (x) => native.maxPool(x, [1, 1, 1, 1, 0, 0, 2 ** 40, 2 ** 40]), /below 2\^31/);
    refused([[3]], (x) => native.stridedSlice(x, [0], [2 ** 53], [3]), /stride/);
  });

  it('more classes than labels can name', () => {
    const inputs = { activation: tensor([1, 2048]), gradient: tensor([1, 2048]), labels: tf.tensor1d([7], 'int32') };
    expect(() => runKernel('TaylorSum', inputs, { classes: 2 ** 53 })).toThrow('number of classes');
  });

  it('an integer remainder, which the processor may trap', () => {
    const a = native.fromArray(Int32Array.of(-(2 ** 31)), [1], 'int32');
    const b = native.fromArray(Int32Array.of(-1), [1], 'int32');
    expect(() => native.remainder(a, b)).toThrow('float');
    native.release(a);
    native.release(b);
  });

  it('more memory than the machine has left', () => {
    expect(() => native.filled([2 ** 40], 1, 'float32')).toThrow(/out of memory/);
  });
});

it('values in shared memory are taken', () => {
  const shared = new Float32Array(new SharedArrayBuffer(8));
  shared.set([1.5, -2]);
  const x = native.fromArray(shared, [2], 'float32');
  expect([...native.toArray(x)]).toEqual([1.5, -2]);
  native.release(x);
});
