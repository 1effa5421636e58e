import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memory, setPrecision, type Trace, trace } from '../src/index.ts';
import { on, tensor } from './helpers.ts';

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

describe('what cannot be traced is refused, and leaves nothing behind', () => {
  const vector = () => tf.tensor1d([1, 2]);
  it.each<[string, (x: tf.Tensor) => unknown, string]>([
    ['values read', (x) => tf.mul(x, tf.sum(x).dataSync()[0]!), 'toArray'],
    ['an op that runs through cpu', (x) => tf.cumprod(x), 'what JavaScript does with values'],
    ['an output that depends on nothing', () => tf.scalar(1), 'output 0 does not depend on the inputs'],
    ['a promise', async (x) => x, 'output 0 is a promise'],
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
