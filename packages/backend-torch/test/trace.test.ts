import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memory, setPrecision, type Trace, trace } from '../src/index.ts';
import { expectClose, on, runKernel, tensor } from './helpers.ts';

beforeEach(async () => {
  await tf.setBackend('torch');
});
afterEach(() => setPrecision('float32'));

/** Convolutions with batch norm, ReLU and a shortcut, padding, pooling, a dense layer: all that a classifier has. */
function classifier(): tfl.LayersModel {
  const input = tfl.input({ shape: [8, 8, 3] });
  const conv = (x: tfl.SymbolicTensor, seed: number) => {
    const kernelInitializer = tfl.initializers.heNormal({ seed });
    const y = tfl.layers.conv2d({ filters: 8, kernelSize: 3, padding: 'same', kernelInitializer }).apply(x);
    return tfl.layers.batchNormalization().apply(y) as tfl.SymbolicTensor;
  };
  const relu = (x: tfl.SymbolicTensor) => tfl.layers.activation({ activation: 'relu' }).apply(x) as tfl.SymbolicTensor;
  const first = relu(conv(input, 1));
  const second = relu(tfl.layers.add().apply([first, conv(first, 2)]) as tfl.SymbolicTensor);
  const pooled = tfl.layers.globalAveragePooling2d({}).apply(tfl.layers.averagePooling2d({}).apply(second));
  const kernelInitializer = tfl.initializers.heNormal({ seed: 3 });
  const output = tfl.layers.dense({ units: 4, activation: 'softmax', kernelInitializer }).apply(pooled);
  return tfl.model({ inputs: input, outputs: output as tfl.SymbolicTensor });
}

const run = (traced: Trace, ...inputs: tf.Tensor[]) =>
  tf.tidy(() => traced.run(...inputs).map((output) => Array.from(output.dataSync())));

describe('a trace of a model', () => {
  it.each(['float32', 'bfloat16'] as const)('gives what predict gives, bit for bit, in %s', (precision) => {
    setPrecision(precision);
    const model = classifier();
    const traced = trace((images) => model.predict(images) as tf.Tensor, tensor([2, 8, 8, 3], 1));
    for (const seed of [2, 3, 4]) {
      const images = tensor([2, 8, 8, 3], seed);
      const expected = tf.tidy(() => Array.from((model.predict(images) as tf.Tensor).dataSync()));
      expect(run(traced, images)).toEqual([expected]);
      expect(expected).toHaveLength(8);
    }
    traced.dispose();
    model.dispose();
  });

  it('leaves nothing behind but its outputs, and nothing at all once disposed', () => {
    const model = classifier();
    const images = tensor([1, 8, 8, 3]);
    tf.dispose(model.predict(images));
    const [native, tensors] = [memory().tensors, tf.memory().numTensors];
    const traced = trace((x) => model.predict(x) as tf.Tensor, images);
    for (let i = 0; i < 5; i++) tf.dispose(traced.run(images));
    expect([memory().tensors, tf.memory().numTensors]).toEqual([native, tensors]);
    const [kept] = traced.run(images);
    expect([memory().tensors, tf.memory().numTensors]).toEqual([native + 1, tensors + 1]);
    kept!.dispose();
    traced.dispose();
    traced.dispose();
    expect([memory().tensors, tf.memory().numTensors]).toEqual([native, tensors]);
    expect(() => traced.run(images)).toThrow('The trace is disposed.');
    model.dispose();
  });

  it('is not in the way of predictions of other batch sizes', () => {
    const model = classifier();
    const traced = trace((x) => model.predict(x) as tf.Tensor, tensor([1, 8, 8, 3]));
    const before = run(traced, tensor([1, 8, 8, 3], 5));
    tf.dispose(model.predict(tensor([3, 8, 8, 3])));
    expect(run(traced, tensor([1, 8, 8, 3], 5))).toEqual(before);
  });

  it.each([
    ['changed', (model: tfl.LayersModel) => model.setWeights(model.getWeights().map((weight) => tf.mul(weight, 2)))],
    ['disposed of', (model: tfl.LayersModel) => void model.dispose()],
  ])('refuses to run when weights were %s', (_, change) => {
    const model = classifier();
    const images = tensor([1, 8, 8, 3]);
    const traced = trace((x) => model.predict(x) as tf.Tensor, images);
    change(model);
    expect(() => traced.run(images)).toThrow('changed or disposed since. Trace the function again.');
    traced.dispose();
  });
});

describe('a trace of a function', () => {
  it('takes several inputs, and gives several outputs in order', async () => {
    const f = (a: tf.Tensor, b: tf.Tensor) => [tf.sub(a, b), ...tf.split(tf.concat([b, a]), 2), a, tf.reshape(b, [4])];
    const traced = trace(f, tensor([2, 2], 1), tensor([2, 2], 2));
    const inputs = [tensor([2, 2], 3), tensor([2, 2], 4)] as const;
    const expected = await on('cpu', () => tf.tidy(() => f(...inputs).map((output) => Array.from(output.dataSync()))));
    await tf.setBackend('torch');
    expect(run(traced, ...inputs)).toEqual(expected);
    const outputs = traced.run(...inputs);
    expect(outputs.map(({ shape }) => shape)).toEqual([[2, 2], [2, 2], [2, 2], [2, 2], [4]]);
    // Each owns its values: neither an input's end nor another output's harms it.
    tf.dispose([...inputs, outputs[0]!]);
    expect(outputs.slice(1).map((output) => Array.from(output.dataSync()))).toEqual(expected.slice(1));
  });

  it('keeps constants that the function makes, and computes anew what comes from weights', () => {
    const weight = tf.variable(tf.tensor1d([1, 2]));
    const traced = trace(
      (x) => tf.add(tf.mul(x, tf.exp(tf.reshape(tf.scalar(0), [1]))), tf.square(weight)),
      tf.zeros([2]),
    );
    expect(run(traced, tf.tensor1d([10, 20]))).toEqual([[11, 24]]);
    expect(run(traced, tf.tensor1d([0, 1]))).toEqual([[1, 5]]);
  });

  it('does not take what was made of the examples before for a constant', () => {
    const example = tf.tensor1d([1, 2, 3, 4]);
    const f = (x: tf.Tensor) => tf.matMul(tf.reshape(x, [2, 2]) as tf.Tensor2D, tf.eye(2));
    tf.dispose(f(example));
    expect(run(trace(f, example), tf.tensor1d([5, 6, 7, 8]))).toEqual([[5, 6, 7, 8]]);
  });

  it('convolves with a filter that was reshaped before', () => {
    const filter = tf.variable(tf.reshape(tensor([4], 3), [1, 1, 2, 2])) as tf.Tensor as tf.Tensor4D;
    const f = (x: tf.Tensor) => tf.relu(tf.conv2d(x as tf.Tensor4D, filter, 1, 'same'));
    const traced = trace(f, tensor([1, 2, 2, 2]));
    const x = tensor([1, 2, 2, 2], 5);
    expect(run(traced, x)).toEqual([Array.from(f(x).dataSync())]);
    traced.dispose();
  });

  it('may run another trace', () => {
    const inner = trace((x) => tf.square(x), tf.zeros([2]));
    const outer = trace((x) => tf.add(inner.run(x)[0]!, 1), tf.zeros([2]));
    expect(run(outer, tf.tensor1d([2, 3]))).toEqual([[5, 10]]);
  });

  it('runs again after an error elsewhere', () => {
    const traced = trace((x) => tf.square(x), tf.zeros([2]));
    expect(() => tf.matMul(tf.zeros([2, 3]), tf.zeros([2, 3]))).toThrow();
    expect(run(traced, tf.tensor1d([2, 3]))).toEqual([[4, 9]]);
  });
});

describe('values from before the trace', () => {
  const weight = () => tf.variable(tf.tensor1d([1, 2]));
  let inner: Trace;
  const changed = 'changed or disposed since. Trace the function again.';

  it.each<[string, (x: tf.Tensor, w: tf.Variable) => tf.Tensor]>([
    ['read by a kernel', (x, w) => tf.mul(x, w)],
    ['read by JavaScript', (x, w) => tf.mul(x, w.dataSync()[1]!)],
    ['read by an op that runs through cpu', (x, w) => tf.mul(x, tf.cumprod(w))],
    ['read by a trace in the trace', (x) => inner.run(x)[0]!],
  ])('%s are refused once they are assigned anew, though somebody holds the old ones', (_, f) => {
    const w = weight();
    inner = trace((x) => tf.mul(x, w), tf.zeros([2]));
    const held = w.clone();
    const traced = trace((x) => f(x, w), tf.zeros([2]));
    const x = tf.tensor1d([3, 4]);
    const before = tf.tidy(() => Array.from(f(x, w).dataSync()));
    expect(run(traced, x)).toEqual([before]);
    w.assign(tf.tensor1d([5, 6]));
    expect(() => traced.run(x)).toThrow(changed);
    tf.dispose([held, w]);
  });

  it('are known though they came from another backend meanwhile', async () => {
    const w = await on('cpu', weight);
    await tf.setBackend('torch');
    const traced = trace((x) => tf.mul(x, w), tf.zeros([2]));
    expect(run(traced, tf.tensor1d([3, 4]))).toEqual([[3, 8]]);
    w.assign(tf.tensor1d([5, 6]));
    expect(() => traced.run(tf.zeros([2]))).toThrow(changed);
  });

  it('make filters in the trace, which are computed in every run', () => {
    const filter = tensor([3, 3, 2, 4], 1) as tf.Tensor4D;
    const f = (x: tf.Tensor, mask: tf.Tensor) => {
      const y = tf.conv2d(x as tf.Tensor4D, tf.mul(filter, mask), 1, 'same');
      return tf.relu(tf.batchNorm(y, tf.mul(mask, 0.5) as tf.Tensor1D, tf.onesLike(mask) as tf.Tensor1D));
    };
    const traced = trace(f, tf.zeros([1, 4, 4, 2]), tf.zeros([4]));
    for (const mask of [tf.tensor1d([1, 0, 1, 2]), tf.tensor1d([0, 3, 1, 1])]) {
      const x = tensor([1, 4, 4, 2], 2);
      const expected = tf.tidy(() => Array.from(f(x, mask).dataSync()));
      expectClose(run(traced, x, mask)[0]!, expected, 1e-6);
    }
  });
});

it('outputs of a trace own their memory: changing one in place changes nothing else', () => {
  const w = tf.tensor1d([1, 2]);
  const traced = trace(
    (x) => [tf.square(x), tf.reshape(tf.square(x), [1, 2]), tf.reshape(w, [2, 1]), x],
    tf.zeros([2]),
  );
  const x = tf.tensor1d([3, 4]);
  const outputs = traced.run(x);
  for (const weight of outputs) {
    const one = tf.onesLike(weight);
    const attrs = { learningRate: 1, momentum: 0, weightDecay: 0, l1: 0, penalty: 0 };
    const [moved] = runKernel('SgdMomentumUpdate', { weight, velocity: tf.clone(one), gradient: one }, attrs);
    const before = weight === outputs[2] ? [1, 2] : weight === outputs[3] ? [3, 4] : [9, 16];
    expect(Array.from(moved!.dataSync())).toEqual(before.map((value) => value - 1));
  }
  expect([...w.dataSync(), ...x.dataSync()]).toEqual([1, 2, 3, 4]);
});

it('outputs of a trace are torch tensors while another backend is the current one', async () => {
  const traced = trace((x) => tf.square(x), tf.zeros([2]));
  const x = tf.tensor1d([3, 4]);
  await tf.setBackend('cpu');
  expect(Array.from(traced.run(x)[0]!.dataSync())).toEqual([9, 16]);
});

describe('what cannot be traced is refused, and leaves nothing behind', () => {
  const vector = () => tf.tensor1d([1, 2]);
  it.each<[string, (x: tf.Tensor) => unknown, string]>([
    ['values read', (x) => tf.mul(x, tf.sum(x).dataSync()[0]!), 'toArray'],
    ['an op that runs through cpu', (x) => tf.cumprod(x), 'what JavaScript does with values'],
    ['an output that depends on nothing', () => tf.scalar(1), 'output 0 does not depend on the inputs'],
    ['a promise', async (x) => x, 'output 0 is a promise'],
    ['a promise that fails', async (x) => void (await x.data()), 'output 0 is a promise'],
    ['no tensor', () => 3, 'output 0 is number'],
    [
      'values read and the error caught',
      (x) => {
        try {
          x.dataSync();
        } catch {
          return tf.square(x);
        }
        return undefined;
      },
      'toArray: what JavaScript does',
    ],
    ['an error of the function', () => expect.fail('mine'), 'mine'],
  ])('%s', (_, f, message) => {
    const x = vector();
    const before = [memory().tensors, tf.memory().numTensors];
    expect(() => trace(f as (x: tf.Tensor) => tf.Tensor, x)).toThrow(message);
    expect([memory().tensors, tf.memory().numTensors]).toEqual(before);
    expect(
      run(
        trace((y) => tf.square(y), x),
        x,
      ),
    ).toEqual([[1, 4]]);
  });

  it('a trace inside of another', () => {
    const f = (x: tf.Tensor) => trace((y) => tf.square(y), x).run(x)[0]!;
    expect(() => trace(f, vector())).toThrow('a trace is being made already');
    expect(
      run(
        trace((y) => tf.square(y), vector()),
        vector(),
      ),
    ).toEqual([[1, 4]]);
  });

  it('inputs that the function was not traced for', () => {
    const traced = trace((x) => tf.square(x), vector());
    expect(() => traced.run(tf.zeros([3]))).toThrow(
      'Input 0: expected float32[2], which the function was traced for, but got float32[3].',
    );
    expect(() => traced.run(tf.tensor1d([1, 2], 'int32'))).toThrow('but got int32[2]');
    expect(() => traced.run()).toThrow('Expected 1 inputs, as in the trace, but got 0.');
    const disposed = vector();
    disposed.dispose();
    expect(() => traced.run(disposed)).toThrow('disposed');
    expect(() => trace((x) => x)).toThrow('Expected at least one example to trace with.');
  });

  it('another backend', async () => {
    await tf.setBackend('cpu');
    expect(() => trace((x) => tf.square(x), vector())).toThrow("the current one is 'cpu'");
  });
});
