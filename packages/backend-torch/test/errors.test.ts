import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadBinding } from '../src/binding.ts';
import {
  device,
  memory,
  precision,
  setDevice,
  setPrecision,
  setThreads,
  type TorchBackend,
  threads,
} from '../src/index.ts';
import { runKernel, tensor } from './helpers.ts';

beforeEach(async () => {
  await tf.setBackend('torch');
});

const native = loadBinding();
const NEEDS_NO_HANDLE = [
  'trim',
  'memory',
  'versions',
  'threads',
  'filled',
  'setThreads',
  'canPackConvolution',
  'cudaDevices',
  'synchronise',
  'abandonTrace',
];

describe('a mistake becomes an Error that names op, shapes and reason', () => {
  it('shapes that do not fit', () => {
    expect(() => tf.add(tensor([2, 3]), tensor([4]))).toThrow('2,3 and 4');
    expect(() => tf.matMul(tensor([2, 3]), tensor([4, 5]))).toThrow(/inner/i);
    const x = tensor([1, 4, 4, 3]);
    expect(() => tf.conv2d(x as tf.Tensor4D, tensor([3, 3, 2, 5]) as tf.Tensor4D, 1, 'same')).toThrow(/depth/);
    const vector = tf.ones([3]);
    const inputs = { x, scale: vector, offset: vector, movingMean: tf.ones([4]), movingVariance: vector };
    const attrs = { epsilon: 1e-5, momentum: 0.9, activation: 'relu', unbiasedVariance: true };
    expect(() => runKernel('BatchNormTraining', inputs, attrs)).toThrow('movingMean of shape [3], but got [4]');
    expect(() =>
      runKernel('BatchNormTraining', { ...inputs, movingMean: vector }, { ...attrs, activation: 'tanh' }),
    ).toThrow("activation linear, relu or relu6, but got 'tanh'");
    const statistics = { mean: vector, variance: vector, offset: vector, scale: vector };
    const inference = { epsilon: 1e-5, activation: 'relu' };
    expect(() =>
      runKernel('BatchNormInference', { x, ...statistics, residual: tensor([1, 4, 4, 1]) }, inference),
    ).toThrow("residual of x's shape [1, 4, 4, 3], but got [1, 4, 4, 1]");
    expect(() =>
      runKernel(
        'BatchNormInferenceGrad',
        { dy: x, variance: tf.ones([4]), scale: vector },
        { epsilon: 1e-5, residual: false },
      ),
    ).toThrow('variance of shape [3], but got [4]');
    const open = tf.cast(tensor([1, 4, 4, 1]), 'bool');
    expect(() =>
      runKernel(
        'BatchNormInferenceGrad',
        { dy: x, open, variance: vector, scale: vector },
        { epsilon: 1e-5, residual: false },
      ),
    ).toThrow("open to be bool of dy's shape [1, 4, 4, 3], but got Bool[1, 4, 4, 1]");
  });

  it('dtypes that a fused kernel does not take', () => {
    const logits = tensor([2, 3]);
    const labels = tf.tensor1d([0, 1]);
    expect(() => runKernel('SoftmaxCrossEntropy', { logits, labels })).toThrow(
      'expected labels to be int32, but got float32',
    );
  });

  it('indices outside an axis', () => {
    expect(() => tf.gather(tensor([3, 2]), tf.tensor1d([0, 3], 'int32'))).toThrow('index value 3 is not in [0, 2]');
  });

  it('use after dispose', () => {
    const x = tensor([3]);
    x.dispose();
    expect(() => tf.relu(x)).toThrow(/disposed/);
    const backend = tf.backend() as TorchBackend;
    const y = tensor([3]);
    const info = { dataId: y.dataId, shape: y.shape, dtype: y.dtype };
    y.dispose();
    expect(() => backend.handle(info)).toThrow('disposed');
    expect(() => backend.readSync({})).toThrow('never registered');
  });

  it('names the function and its inputs with their types', () => {
    const a = native.fromArray(new Float32Array(6), [2, 3], 'float32');
    const b = native.fromArray(new Int32Array(4), [4], 'int32');
    const image = native.fromArray(new Float32Array(48), [1, 4, 4, 3], 'float32');
    const filter = native.fromArray(new Float32Array(90), [3, 3, 2, 5], 'float32');
    const convolve = () => native.conv2d(image, filter, null, [1, 1, 1, 1, 1, 1, 4, 4], false, 'linear', 0);
    expect(convolve).toThrow(/torch conv2d\(Float\[1, 4, 4, 3\], Float\[3, 3, 2, 5\]\): .*channels/);
    expect(() => native.add(a, b)).toThrow(/torch add\(Float\[2, 3\], Int\[4\]\): .*size/);
    for (const handle of [a, b, image, filter]) native.release(handle);
  });
});

describe('nothing unchecked crosses into C++', () => {
  const bad: unknown[] = [
    -1,
    0.5,
    1e9,
    2 ** 60,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '1',
    null,
    undefined,
    {},
    [],
    () => 0,
  ];
  it.each(bad.map((value) => [String(value), value]))('handle %s', (_, value) => {
    const call = native as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of Object.keys(call)) {
      if (NEEDS_NO_HANDLE.includes(name)) continue;
      expect(() => call[name]!(value), name).toThrow(/expected|no (tensor|packed convolution|trace)|disposed/);
    }
  });

  it('every function, called with arguments of every wrong kind, throws or returns', () => {
    const call = native as unknown as Record<string, (...args: unknown[]) => unknown>;
    const before = memory().tensors;
    const made: number[] = [];
    const thrown: string[] = [];
    const x = native.fromArray(new Float32Array(8), [2, 4], 'float32');
    const wrong = [x, -1, 0, [1, 2, 3, 4, 5, 6, 7, 8], [x, x], 'relu', true, null, undefined, {}];
    const returnsNoHandle = [
      'release',
      'setThreads',
      'threads',
      'trim',
      'memory',
      'versions',
      'toArray',
      'storageType',
      'toArrayAsync',
      'canPackConvolution',
      'setDevice',
      'cudaDevices',
      'synchronise',
      'allowTf32',
      'packConvolution',
      'releasePackedConvolution',
    ];
    for (const name of Object.keys(call).filter((name) => !returnsNoHandle.includes(name))) {
      for (const rest of wrong) {
        try {
          const result = call[name]!(x, ...new Array(10).fill(rest));
          for (const output of [result].flat()) if (typeof output === 'number') made.push(output);
        } catch (error) {
          if (!(error instanceof Error)) thrown.push(`${name} threw ${String(error)}`);
        }
      }
    }
    expect(thrown).toEqual([]);
    expect(made.length).toBeGreaterThan(50);
    for (const handle of made) native.release(handle);
    native.release(x);
    expect(memory().tensors).toBe(before);
  });

  it('released handles stay invalid when their slot is used again', () => {
    const a = native.fromArray(new Float32Array(2), [2], 'float32');
    native.release(a);
    const b = native.fromArray(new Float32Array(3), [3], 'float32');
    expect(() => native.toArray(a)).toThrow('disposed');
    expect(() => native.release(a)).toThrow('disposed');
    expect(native.toArray(b)).toHaveLength(3);
    native.release(b);
  });

  it('values that do not match their shape or dtype', () => {
    expect(() => native.fromArray(new Float32Array(5), [2, 3], 'float32')).toThrow('expected 6 values');
    expect(() => native.fromArray(new Float32Array(6), [2, 3], 'int32')).toThrow('does not match dtype int32');
    expect(() => native.fromArray(new Float32Array(1), [-1], 'float32')).toThrow();
    expect(() => native.filled([2 ** 40, 2 ** 40], 1, 'float32')).toThrow();
    expect(() => native.filled([2 ** 45], 1, 'float32')).toThrow(/memory|allocate/);
  });
});

describe('settings', () => {
  it('threads are checked and kept', () => {
    const before = threads();
    setThreads(1);
    expect(threads()).toBe(1);
    setThreads(before);
    expect(() => setThreads(0)).toThrow('between 1 and 1024');
    expect(() => setThreads(4096)).toThrow(/at most \d+ threads on this machine, but got 4096/);
    expect(threads()).toBe(before);
    expect(() => setThreads(1.5)).toThrow('integer');
  });

  it('device is cpu, and cuda says what is missing', () => {
    setDevice('cpu');
    expect(device()).toBe('cpu');
    expect(() => setDevice('cuda')).toThrow(/^Device 'cuda': libtorch \d+\.\d+\.\d+\S* (was built without|has) CUDA/);
    expect(() => setDevice('cuda:1')).toThrow("Device 'cuda:1'");
    expect(device()).toBe('cpu');
    expect(() => setDevice('gpu')).toThrow("Expected device 'cpu', 'cuda' or 'cuda:<number>', but got 'gpu'.");
  });

  it('precision is one of two', () => {
    expect(precision()).toBe('float32');
    expect(() => setPrecision('float16' as 'float32')).toThrow("'float16'");
  });
});

it('a missing addon is an Error with the remedy', () => {
  expect(() => loadBinding('/nowhere/secateur_torch.node')).toThrow('npx tfjs-backend-torch build');
});
