import { ZeroPadShortcut } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { exportOnnx } from '../src/index.ts';
import { expectClose, randomImages, randomise, runModel, runOnnx, structureOf } from './oracle.ts';

type Tail = (x: SymbolicTensor) => SymbolicTensor;

/** A model of the given input behind which `tail` builds the layers under test. */
function build(inputShape: number[], tail: Tail): LayersModel {
  const x = input({ shape: inputShape });
  const model = modelOf({ inputs: x, outputs: tail(x) });
  randomise(model, 3);
  return model;
}

const apply = (layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown }, x: SymbolicTensor | SymbolicTensor[]) =>
  layer.apply(x) as SymbolicTensor;

const flatten: Tail = (x) => apply(layers.flatten(), x);

async function expectSame(model: LayersModel): Promise<ReturnType<typeof structureOf>> {
  const bytes = await exportOnnx(model);
  for (const count of [1, 3]) {
    const images = randomImages(model, count);
    expectClose(await runOnnx(bytes, images), runModel(model, images));
  }
  model.dispose();
  return structureOf(bytes);
}

describe('layer by layer against onnxruntime', () => {
  const activations = [
    ...['linear', 'relu', 'relu6', 'sigmoid', 'hardSigmoid', 'tanh', 'elu', 'selu', 'softplus', 'softsign'],
    ...['softmax', 'logSoftmax', 'swish', 'mish', 'gelu'],
  ];
  it.each(activations)('activation %s, inside a convolution and on its own', async (activation) => {
    const name = activation as 'relu';
    const conv = layers.conv2d({ filters: 3, kernelSize: 2, activation: name });
    await expectSame(build([4, 5, 2], (x) => flatten(apply(layers.activation({ activation: name }), apply(conv, x)))));
  });

  it.each([
    ['ReLU', layers.reLU()],
    ['ReLU up to 0.5', layers.reLU({ maxValue: 0.5 })],
    ['LeakyReLU', layers.leakyReLU({ alpha: 0.2 })],
    ['ELU', layers.elu()],
    ['ThresholdedReLU', layers.thresholdedReLU({ theta: 0.3 })],
    ['PReLU', layers.prelu()],
    ['PReLU shared over space', layers.prelu({ sharedAxes: [1, 2] })],
    ['Dropout', layers.dropout({ rate: 0.5 })],
    ['GaussianNoise', layers.gaussianNoise({ stddev: 1 })],
    [
      'ZeroPadding2D',
      layers.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 3],
        ],
      }),
    ],
    ['ZeroPadShortcut', new ZeroPadShortcut({ strides: 2, padChannels: [1, 2] })],
    ['ZeroPadShortcut without stride', new ZeroPadShortcut({ strides: 1, padChannels: [1, 1] })],
    ['ZeroPadShortcut without padding', new ZeroPadShortcut({ strides: 2, padChannels: [0, 0] })],
    ['MaxPooling2D same', layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })],
    ['AveragePooling2D same', layers.averagePooling2d({ poolSize: [3, 2], strides: [2, 2], padding: 'same' })],
    ['AveragePooling2D valid', layers.averagePooling2d({ poolSize: 2, strides: 1 })],
    ['DepthwiseConv2D', layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, padding: 'same' })],
    ['Conv2D dilated', layers.conv2d({ filters: 2, kernelSize: [2, 3], dilationRate: [2, 1], padding: 'same' })],
    ['BatchNormalization', layers.batchNormalization()],
    ['BatchNormalization without scale and shift', layers.batchNormalization({ scale: false, center: false })],
  ])('%s', async (_name, layer) => {
    await expectSame(build([5, 6, 3], (x) => flatten(apply(layer, x))));
  });

  it.each([layers.globalAveragePooling2d({}), layers.globalMaxPooling2d({})])('global pooling %#', async (layer) => {
    await expectSame(build([4, 3, 5], (x) => apply(layer, x)));
  });

  it.each([
    ['Softmax', layers.softmax({ axis: 1 })],
    ['PReLU on vectors', layers.prelu()],
    ['Reshape', layers.reshape({ targetShape: [1, 1, 6] })],
  ])('%s behind a dense layer', async (_name, layer) => {
    await expectSame(
      build([4], (x) => {
        const y = apply(layer, apply(layers.dense({ units: 6 }), x));
        return y.shape.length === 2 ? y : flatten(y);
      }),
    );
  });

  it.each([layers.add(), layers.multiply(), layers.average(), layers.maximum(), layers.minimum()])(
    'merge of three %#',
    async (merge) => {
      const branch = (x: SymbolicTensor) => apply(layers.conv2d({ filters: 3, kernelSize: 1 }), x);
      await expectSame(build([3, 4, 2], (x) => flatten(apply(merge, [branch(x), branch(x), branch(x)]))));
    },
  );

  it.each([
    [-1, [1, 2]],
    [3, [1, 2]],
    [1, [2, 2]],
    [2, [2, 2]],
  ])('Concatenate along axis %i', async (axis, filters) => {
    await expectSame(
      build([3, 4, 2], (x) => {
        const parts = filters.map((count) => apply(layers.conv2d({ filters: count, kernelSize: 1 }), x));
        return flatten(apply(layers.concatenate({ axis }), parts));
      }),
    );
  });
});

describe('flattened images', () => {
  it('reorders the rows of the dense kernel behind normalisation and dropout, with no extra node', async () => {
    const { ops } = await expectSame(
      build([2, 3, 4], (x) => {
        const normalised = apply(layers.batchNormalization(), flatten(x));
        const dropped = apply(layers.dropout({ rate: 0.1 }), apply(layers.reLU(), normalised));
        return apply(layers.dense({ units: 5 }), dropped);
      }),
    );
    expect(ops).toEqual(['Flatten', 'BatchNormalization', 'Relu', 'Gemm']);
  });

  it('orders features in front of a layer that mixes them with others', async () => {
    const { ops } = await expectSame(
      build([2, 3, 4], (x) => {
        const pooled = apply(layers.globalMaxPooling2d({}), x);
        return apply(layers.dense({ units: 2 }), apply(layers.concatenate(), [flatten(x), pooled]));
      }),
    );
    expect(ops.filter((op) => op === 'Gather')).toHaveLength(1);
  });

  it('Reshape to a vector is a Flatten', async () => {
    const { ops } = await expectSame(
      build([2, 3, 4], (x) => apply(layers.dense({ units: 2 }), apply(layers.reshape({ targetShape: [24] }), x))),
    );
    expect(ops).toEqual(['Flatten', 'Gemm']);
  });
});

describe('folding', () => {
  const conv = () => layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, useBias: false });
  const norm = () => layers.batchNormalization({ name: 'norm', epsilon: 1e-2 });

  it('gives the same numbers folded and not folded, with fewer nodes', async () => {
    const model = build([5, 5, 2], (x) => {
      const y = apply(layers.reLU({ name: 'relu' }), apply(norm(), apply(conv(), x)));
      const z = apply(layers.dense({ name: 'fc', units: 3 }), flatten(y));
      return apply(layers.batchNormalization({ name: 'norm_fc' }), z);
    });
    const images = randomImages(model, 3);
    const folded = await exportOnnx(model);
    const plain = await exportOnnx(model, { foldBatchNorm: false });
    expect(structureOf(folded).nodeNames).toEqual(['conv', 'relu', expect.stringContaining('flatten'), 'fc']);
    expect(structureOf(plain).ops).toEqual([
      ...['Conv', 'BatchNormalization', 'Relu'],
      ...['Flatten', 'Gemm', 'BatchNormalization'],
    ]);
    expect(structureOf(folded).initializers).toEqual(
      new Map([
        ['conv/kernel', [4, 2, 3, 3]],
        ['fc/kernel', [3, 36]],
        ['fc/bias', [3]],
        ['conv/bias', [4]],
      ]),
    );
    for (const bytes of [folded, plain]) expectClose(await runOnnx(bytes, images), runModel(model, images));
    model.dispose();
  });

  it('leaves the norm when the convolution is read elsewhere or carries an activation', async () => {
    const shared = build([4, 4, 2], (x) => {
      const y = apply(conv(), x);
      return flatten(apply(layers.add(), [y, apply(norm(), y)]));
    });
    expect((await expectSame(shared)).ops).toContain('BatchNormalization');
    const activated = build([4, 4, 2], (x) => {
      const y = apply(layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' }), x);
      return flatten(apply(norm(), y));
    });
    expect((await expectSame(activated)).ops).toContain('BatchNormalization');
  });

  it('puts zero padding into the convolution behind it, unless something else reads the padding', async () => {
    const pad = () =>
      layers.zeroPadding2d({
        padding: [
          [1, 2],
          [0, 1],
        ],
      });
    const strided = () => layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' });
    const alone = await expectSame(build([6, 5, 2], (x) => flatten(apply(strided(), apply(pad(), x)))));
    expect(alone.ops).toEqual(['Conv', 'Flatten', 'Gather']);
    const shared = await expectSame(
      build([6, 5, 2], (x) => {
        const padded = apply(pad(), x);
        const y = apply(layers.conv2d({ filters: 2, kernelSize: 1 }), padded);
        return flatten(apply(layers.add(), [y, padded]));
      }),
    );
    expect(shared.ops).toContain('Pad');
    const channels = await expectSame(
      build([3, 3, 2], (x) =>
        flatten(apply(strided(), apply(new ZeroPadShortcut({ strides: 1, padChannels: [1, 0] }), x))),
      ),
    );
    expect(channels.ops).toContain('Pad');
  });
});

it('writes nested models layer by layer, and a layer in several places for each', async () => {
  const conv = layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same' });
  const inside = input({ shape: [4, 4, 2] });
  const nested = modelOf({ inputs: inside, outputs: apply(layers.reLU(), apply(conv, inside)) });
  const { ops } = await expectSame(build([4, 4, 2], (x) => flatten(apply(nested, apply(nested, x)))));
  expect(ops).toEqual(['Conv', 'Relu', 'Conv', 'Relu', 'Flatten', 'Gather']);
});

describe('zero padding in front of pooling', () => {
  const padded = (pool: { apply(x: SymbolicTensor): unknown }) => {
    const x = input({ shape: [3, 3, 1] });
    const y = apply(pool, apply(layers.zeroPadding2d({ padding: 1 }), x));
    return modelOf({ inputs: x, outputs: flatten(y) });
  };
  const negative = { data: new Float32Array(9).fill(-9), shape: [1, 3, 3, 1] };

  it.each([
    ['MaxPooling2D', layers.maxPooling2d({ poolSize: 3, strides: 2 }), [0, 0, 0, 0]],
    ['AveragePooling2D', layers.averagePooling2d({ poolSize: 3, strides: 2 }), [-4, -4, -4, -4]],
    ['MaxPooling2D of one pixel', layers.maxPooling2d({ poolSize: 1, strides: 2 }), [0, 0, 0, 0, -9, 0, 0, 0, 0]],
  ])('%s sees the zeros', async (_name, pool, expected) => {
    const bytes = await exportOnnx(padded(pool));
    structureOf(bytes);
    expect([...(await runOnnx(bytes, negative))]).toEqual(expected);
  });
});

describe('numbers that a reader can check', () => {
  it('convolution, folded norm, flatten and dense', async () => {
    const model = sequential({
      layers: [
        layers.conv2d({ inputShape: [1, 2, 1], filters: 2, kernelSize: 1 }),
        layers.batchNormalization({ epsilon: 1 }),
        layers.flatten(),
        layers.dense({ units: 1 }),
      ],
    });
    // conv: [x + 1, 2x]; norm: [(x + 1 - 0) * 2 / 2 + 0, (2x - 2) * 1 / 1 + 5]; features by pixel: [a0, b0, a1, b1]
    const weights: [number[], number[]][] = [
      [
        [1, 2],
        [1, 1, 1, 2],
      ],
      [[1, 0], [2]],
      [[2, 1], [2]],
      [[0, 5], [2]],
      [
        [1, 10, 100, 1000],
        [4, 1],
      ],
      [[0.5], [1]],
      [[0, 2], [2]],
      [[3, 0], [2]],
    ];
    tf.tidy(() => model.setWeights(weights.map(([values, shape]) => tf.tensor(values, shape))));
    const bytes = await exportOnnx(model);
    // x = [3, 4]: a = [4, 5], b = [9, 11]: 4 + 90 + 500 + 11000 + 0.5
    expect([...(await runOnnx(bytes, { data: Float32Array.of(3, 4), shape: [1, 1, 2, 1] }))]).toEqual([11594.5]);
    model.dispose();
  });
});
