import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { memory, setPrecision, type TorchMemoryInfo, trim } from '../src/index.ts';
import { expectClose, on, runKernel, tensor } from './helpers.ts';

beforeEach(async () => {
  await tf.setBackend('torch');
});

const counts = () => ({
  tfjs: tf.memory().numTensors,
  dataIds: tf.memory().numDataBuffers,
  native: memory().tensors,
  bytes: memory().bytes,
});

describe('native memory follows dispose', () => {
  it('counts handles and bytes exactly, reshapes included', () => {
    const before = counts();
    const x = tensor([4, 8]);
    expect(memory().tensors).toBe(before.native + 1);
    expect(memory().bytes).toBe(before.bytes + 128);
    const flat = tf.reshape(x, [32]);
    expect(memory().tensors).toBe(before.native + 1);
    const sum = tf.add(flat, 1); // makes the [32] view
    x.dispose();
    expectClose(tf.sub(sum, flat).dataSync(), new Array(32).fill(1), 1e-6);
    tf.dispose([sum, flat]);
    tf.disposeVariables();
    expect(memory().tensors - before.native).toBe(1); // the difference above
  });

  it('tf.memory() reports native bytes, in the storage they have', async () => {
    const figures = () => tf.memory() as TorchMemoryInfo;
    const before = figures();
    expect(before.unreliable).toBe(false);
    expect(before.numTensorsInNative).toBe(memory().tensors);
    expect(before.numBytesInNativeFree).toBe(memory().reservedBytes);
    const x = tensor([1, 4, 4, 2]) as tf.Tensor4D;
    const filter = tensor([1, 1, 2, 3]) as tf.Tensor4D;
    setPrecision('bfloat16');
    const y = tf.conv2d(x, filter, 1, 'same');
    y.dataSync();
    setPrecision('float32');
    const after = figures();
    expect(after.numBytesInNative - before.numBytesInNative).toBe(4 * (32 + 6) + 2 * 48);
    expect(after.numBytes - before.numBytes).toBe(4 * (32 + 6 + 48));
    expect(after.numTensorsInNative - before.numTensorsInNative).toBe(3);
    tf.dispose([x, filter, y]);
    expect(figures()).toEqual({ ...before, numBytesInNativeFree: expect.any(Number) });
  });

  it('is back at its start after tidy, whatever ran inside', () => {
    const before = counts();
    tf.tidy(() => {
      const x = tensor([2, 6, 6, 3]) as tf.Tensor4D;
      const filter = tensor([3, 3, 3, 4], 2) as tf.Tensor4D;
      const y = tf.maxPool(tf.relu(tf.conv2d(x, filter, 1, 'same')), 2, 2, 'valid');
      tf.unstack(tf.transpose(tf.slice(y, [0, 1, 0, 0], [2, 2, 2, 2])));
      tf.topk(tf.reshape(y, [2, -1]), 3);
      tf.fft(tf.complex(tf.ones([4]), tf.zeros([4])));
      tf.einsum('bhwc->c', y);
    });
    expect(counts()).toEqual(before);
  });

  it('gives outputs memory of their own: a slice does not keep the whole alive', () => {
    const before = memory().bytes;
    const x = tf.zeros([1000, 10]);
    const row = tf.slice(x, [0, 0], [1, 10]);
    x.dispose();
    expect(memory().bytes - before).toBe(40);
    row.dispose();
  });

  it('keeps freed blocks for reuse until trim', () => {
    tf.zeros([1 << 18]).dispose();
    expect(memory().reservedBytes).toBeGreaterThanOrEqual(1 << 20);
    const reserved = memory().reservedBytes;
    expect(trim()).toBe(reserved);
    expect(memory().reservedBytes).toBe(0);
  });

  it('moves tensors of other backends in and out', async () => {
    const made = await on('cpu', () => tf.tensor1d([1, 2, 3]));
    await tf.setBackend('torch');
    const doubled = tf.mul(made, 2);
    const back = await on('cpu', () => tf.add(doubled, 1).dataSync());
    expectClose(back, [3, 5, 7], 0);
  });
});

describe('200 training steps leave every count where it was', () => {
  it('tf.layers: conv, batch norm, pool, dense with model.trainOnBatch', async () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [6, 6, 2], filters: 3, kernelSize: 3, padding: 'same', activation: 'relu' }),
        tfl.layers.batchNormalization({}),
        tfl.layers.maxPooling2d({ poolSize: 2 }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 3, activation: 'softmax' }),
      ],
    });
    model.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'categoricalCrossentropy' });
    const x = tensor([4, 6, 6, 2]);
    const y = tf.oneHot(tf.tensor1d([0, 1, 2, 0], 'int32'), 3);
    const losses: number[] = [];
    for (let step = 0; step < 3; step++) losses.push((await model.trainOnBatch(x, y)) as number);
    const before = counts();
    for (let step = 0; step < 200; step++) losses.push((await model.trainOnBatch(x, y)) as number);
    expect(counts()).toEqual(before);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    model.dispose();
  });

  it('fused kernels with in-place updates', () => {
    const initial = tensor([3, 3, 2, 4], 1, 0.3);
    const filter = tf.variable(initial);
    const start = tf.zerosLike(filter);
    const velocity = tf.variable(start, false);
    tf.dispose([initial, start]);
    const x = tensor([4, 6, 6, 2]) as tf.Tensor4D;
    const attrs = { learningRate: 0.01, momentum: 0.9, weightDecay: 0, l1: 0, penalty: 0.01 };
    const step = () =>
      tf.tidy(() => {
        const { grads } = tf.variableGrads(
          () => tf.sum(tf.square(tf.conv2d(x, filter as tf.Tensor4D, 1, 'same'))) as tf.Scalar,
          [filter],
        );
        const [, penaltyGradient] = runKernel('ConvOrthogonality', { kernel: filter });
        const [weight, moved] = runKernel(
          'SgdMomentumUpdate',
          { weight: filter, velocity, gradient: grads[filter.name]!, penaltyGradient: penaltyGradient! },
          attrs,
        );
        filter.assign(weight!);
        velocity.assign(moved!);
      });
    for (let i = 0; i < 3; i++) step();
    const before = counts();
    const { dataId } = filter;
    for (let i = 0; i < 200; i++) step();
    expect(counts()).toEqual(before);
    expect(filter.dataId).toBe(dataId);
  });
});
