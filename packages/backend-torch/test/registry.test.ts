import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { kernelTable } from '../src/index.ts';
import { expectClose, runKernel, tensor, values } from './helpers.ts';

beforeEach(async () => {
  await tf.setBackend('torch');
});

/** All text that tfjs-core exports, but for two, are its kernels' names. */
const OTHER_TEXT = ['version_core', 'OP_SCOPE_SUFFIX'];
const KERNEL_NAMES = Object.entries(tf).flatMap(([name, value]) =>
  typeof value === 'string' && !OTHER_TEXT.includes(name) ? [value] : [],
);

it('every kernel that tfjs-core names is registered, and listed', () => {
  expect(KERNEL_NAMES).toHaveLength(180);
  const { native, viaCpu } = kernelTable();
  expect([...native, ...viaCpu].sort()).toEqual([...KERNEL_NAMES].sort());
  expect(KERNEL_NAMES.filter((name) => !tf.getKernel(name, 'torch'))).toEqual([]);
});

describe('kernels that no op of tfjs-core calls give what the op of that name composes', () => {
  const one = (name: string, inputs: Record<string, tf.Tensor>, attrs = {}): tf.Tensor =>
    runKernel(name, inputs, attrs)[0]!;
  const agree = (actual: tf.Tensor, expected: tf.Tensor) => {
    expect({ shape: actual.shape, dtype: actual.dtype }).toEqual({ shape: expected.shape, dtype: expected.dtype });
    expectClose(actual.dataSync(), expected.dataSync(), 1e-6);
  };

  it('LogSoftmax', () => {
    const logits = tensor([3, 5], 1, 20);
    agree(one('LogSoftmax', { logits }, { axis: 1 }), tf.logSoftmax(logits));
    const whole = tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32');
    agree(one('LogSoftmax', { logits: whole }, { axis: 1 }), tf.logSoftmax(whole));
  });

  it('LogicalXor', () => {
    const a = tf.tensor2d([1, 1, 0, 0], [2, 2], 'bool');
    const b = tf.tensor1d([1, 0], 'bool');
    agree(one('LogicalXor', { a, b }), tf.logicalXor(a, b));
  });

  it('LowerBound and UpperBound', () => {
    const sortedSequence = tf.tensor2d([0, 3, 9, 10, 10, 1, 2, 3, 4, 5], [2, 5]);
    const sought = tf.tensor2d([0, 4, 10, NaN, 5, 9, -1, 3], [2, 4]);
    const inputs = { sortedSequence, values: sought };
    expect([...one('LowerBound', inputs).dataSync()]).toEqual([0, 2, 3, 0, 4, 5, 0, 2]);
    expect([...one('UpperBound', inputs).dataSync()]).toEqual([1, 2, 5, 0, 5, 5, 0, 3]);
    agree(one('LowerBound', inputs), tf.lowerBound(sortedSequence, sought));
    agree(one('UpperBound', inputs), tf.upperBound(sortedSequence, sought));
    // 2^24 + 1 is no float32, yet compares exactly.
    const integers = tf.tensor2d([2 ** 24, 2 ** 24 + 1], [1, 2], 'int32');
    expect([...tf.upperBound(integers, tf.tensor2d([2 ** 24], [1, 1])).dataSync()]).toEqual([1]);
  });

  it('MatrixBandPart', () => {
    const input = tensor([2, 3, 4]);
    for (const [lower, upper] of [
      [0, 0],
      [1, -1],
      [-1, 2],
      [-1, -1],
      [2, 1],
    ] as const) {
      const numLower = tf.scalar(lower, 'int32');
      const numUpper = tf.scalar(upper, 'int32');
      agree(one('MatrixBandPart', { input, numLower, numUpper }), tf.linalg.bandPart(input, lower, upper));
    }
  });

  it('Pool', () => {
    const input = tensor([1, 5, 5, 2]) as tf.Tensor4D;
    for (const poolingType of ['max', 'avg'] as const) {
      agree(
        one('Pool', { input }, { poolingType, filterSize: [3, 2], strides: [2, 1], pad: 'same' }),
        tf.pool(input, [3, 2], poolingType, 'same', 1, [2, 1]),
      );
    }
    expect(() => one('Pool', { input }, { poolingType: 'sum', filterSize: 2, strides: 2, pad: 'valid' })).toThrow(
      "Pool: expected poolingType 'max' or 'avg', but got 'sum'.",
    );
  });

  it('FromPixels, from bytes and from a canvas', () => {
    const data = Uint8Array.from(values(2 * 3 * 4, 1, 127), (value) => value + 128);
    const picture = { width: 3, height: 2, data };
    const canvas = { width: 3, height: 2, getContext: () => ({ getImageData: () => ({ data }) }) };
    for (const channels of [1, 3, 4]) {
      const expected = [...data].filter((_, i) => i % 4 < channels);
      for (const pixels of [picture, canvas as unknown as HTMLCanvasElement]) {
        const image = tf.browser.fromPixels(pixels, channels);
        expect({ shape: image.shape, dtype: image.dtype }).toEqual({ shape: [2, 3, channels], dtype: 'int32' });
        expect([...image.dataSync()]).toEqual(expected);
      }
    }
    expect(() => tf.browser.fromPixels({ ...picture, data: data.subarray(1) })).toThrow(
      'expected 4 bytes for each of 3x2 pixels, as { data, width, height } or a canvas, but got 23 bytes',
    );
  });
});
