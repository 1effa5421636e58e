import { PositionEmbedding, SelfAttention, ZeroPadShortcut } from '@secateur/core';
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
import { type ExportOptions, exportOnnx } from '../src/index.ts';
import { expectAccepted, hasChecker, without } from './onnx-checker.ts';
import { expectClose, expectSameAnswers, randomImages, randomise, runModel, runOnnx, structureOf } from './oracle.ts';

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

const written: Uint8Array[] = [];

async function expectSame(model: LayersModel, options: ExportOptions = {}): Promise<ReturnType<typeof structureOf>> {
  const bytes = await exportOnnx(model, options);
  written.push(bytes);
  await expectSameAnswers(model, bytes);
  model.dispose();
  return structureOf(bytes);
}

describe('layer by layer against onnxruntime', () => {
  const activations = [
    ...['linear', 'relu', 'relu6', 'sigmoid', 'hardSigmoid', 'tanh', 'elu', 'selu', 'softplus', 'softsign'],
    ...['softmax', 'logSoftmax', 'swish', 'mish', 'gelu', 'gelu_new'],
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
    ['Rescaling', layers.rescaling({ scale: 0.5, offset: -2 })],
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
    ['LayerNormalization', layers.layerNormalization()],
    ['LayerNormalization of positions', layers.layerNormalization({ axis: [1, 2], epsilon: 0.1 })],
    ['LayerNormalization of columns', layers.layerNormalization({ axis: 2, center: false })],
    ['LayerNormalization of everything', layers.layerNormalization({ axis: [1, 2, 3], scale: false })],
    ['LayerNormalization alone', layers.layerNormalization({ center: false, scale: false })],
    ['Softmax over positions', layers.softmax({ axis: [1, 2] })],
    ['Softmax over the last axis', layers.softmax({ axis: -1 })],
    ['PReLU shared over channels', layers.prelu({ sharedAxes: [3] })],
    ['AlphaDropout', layers.alphaDropout({ rate: 0.5 })],
    ['GaussianDropout', layers.gaussianDropout({ rate: 0.5 })],
    ['Dense at each position', layers.dense({ units: 4, activation: 'softmax' })],
    ['Conv2DTranspose', layers.conv2dTranspose({ filters: 4, kernelSize: [2, 3], strides: 2, activation: 'relu' })],
    ['Conv2DTranspose same', layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: [2, 1], padding: 'same' })],
    ['Conv2DTranspose with gaps', layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, useBias: false })],
    [
      'Conv2DTranspose with gaps, same',
      layers.conv2dTranspose({ filters: 2, kernelSize: 1, strides: 2, padding: 'same' }),
    ],
    [
      'SeparableConv2D',
      layers.separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2, strides: 2, padding: 'same' }),
    ],
    ['SeparableConv2D dilated', layers.separableConv2d({ filters: 2, kernelSize: 2, dilationRate: 2, useBias: false })],
    [
      'Cropping2D',
      layers.cropping2D({
        cropping: [
          [1, 2],
          [0, 3],
        ],
      }),
    ],
    ['Cropping2D of nothing', layers.cropping2D({ cropping: 0 })],
    ['UpSampling2D', layers.upSampling2d({ size: [2, 3] })],
    ['UpSampling2D bilinear', layers.upSampling2d({ size: [3, 2], interpolation: 'bilinear' })],
    ['Permute of height and width', layers.permute({ dims: [2, 1, 3] })],
    ['Permute of all axes', layers.permute({ dims: [3, 2, 1] })],
    ['Reshape that keeps the channels', layers.reshape({ targetShape: [2, 15, 3] })],
    ['Reshape that mixes everything', layers.reshape({ targetShape: [9, 5, 2] })],
    ['Reshape into one channel', layers.reshape({ targetShape: [9, 10, 1] })],
    ['Reshape into rows', layers.reshape({ targetShape: [5, 18] })],
  ])('%s', async (_name, layer) => {
    await expectSame(build([5, 6, 3], (x) => apply(layer, x)));
  });

  it.each([
    ['Conv1D', () => layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' })],
    ['Conv1D dilated', () => layers.conv1d({ filters: 2, kernelSize: 2, dilationRate: 3, useBias: false })],
    ['MaxPooling1D', () => layers.maxPooling1d({ poolSize: 3, strides: 2, padding: 'same' })],
    ['AveragePooling1D', () => layers.averagePooling1d({ poolSize: 2, strides: 2, padding: 'same' })],
    ['GlobalMaxPooling1D', () => layers.globalMaxPooling1d()],
    ['GlobalAveragePooling1D', () => layers.globalAveragePooling1d({})],
    ['Dense at each step', () => layers.dense({ units: 3, activation: 'gelu' })],
    ['Dense at each step without bias', () => layers.dense({ units: 3, useBias: false })],
    ['LayerNormalization', () => layers.layerNormalization()],
    ['LayerNormalization of steps', () => layers.layerNormalization({ axis: 1 })],
    ['BatchNormalization', () => layers.batchNormalization()],
    ['PReLU', () => layers.prelu()],
    ['Softmax', () => layers.softmax({ axis: -1 })],
    ['SpatialDropout1D', () => layers.spatialDropout1d({ rate: 0.5 })],
    ['PositionEmbedding', () => new PositionEmbedding()],
    ['SelfAttention', () => new SelfAttention({ heads: 3, headSize: 2 })],
    ['SelfAttention of another size', () => new SelfAttention({ heads: 1, headSize: 5, units: 3 })],
    ['Reshape into an image', () => layers.reshape({ targetShape: [7, 2, 2] })],
    ['Reshape that keeps the channels', () => layers.reshape({ targetShape: [7, 1, 4] })],
    ['Permute', () => layers.permute({ dims: [2, 1] })],
    ['Flatten', () => layers.flatten()],
  ])('%s on a sequence, as it comes and behind attention', async (_name, layer) => {
    await expectSame(build([7, 4], (x) => apply(layer(), x)));
    const attention = () => new SelfAttention({ heads: 1, headSize: 2 });
    await expectSame(build([7, 4], (x) => apply(layer(), apply(attention(), x))));
  });

  it.each([
    ['Conv3D', layers.conv3d({ filters: 3, kernelSize: [2, 3, 2], strides: 2, padding: 'same', activation: 'relu' })],
    ['Conv3DTranspose', layers.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2 })],
    ['MaxPooling3D', layers.maxPooling3d({ poolSize: 2, padding: 'same' })],
    ['AveragePooling3D', layers.averagePooling3d({ poolSize: [1, 2, 2], strides: 1, padding: 'valid' })],
    ['Dense', layers.dense({ units: 3 })],
    ['Flatten', layers.flatten()],
  ])('%s on volumes', async (_name, layer) => {
    await expectSame(build([3, 4, 5, 2], (x) => apply(layer, x)));
  });

  it.each([
    ['RepeatVector', () => layers.repeatVector({ n: 3 })],
    ['Reshape into an image', () => layers.reshape({ targetShape: [3, 2, 2] })],
    ['LayerNormalization', () => layers.layerNormalization()],
    ['Permute', () => layers.permute({ dims: [1] })],
  ])('%s on vectors, flattened ones too', async (_name, layer) => {
    await expectSame(build([12], (x) => apply(layer(), x)));
    await expectSame(build([2, 2, 3], (x) => apply(layer(), flatten(x))));
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
    ['a gate for channels', [4]],
    ['a gate for positions', [3, 4, 1]],
    ['a gate for channels, as an image', [1, 1, 4]],
    ['a gate for columns and channels', [4, 4]],
  ])('joins with %s, before or behind', async (_name, gateShape) => {
    for (const gateFirst of [true, false]) {
      const [x, gate] = [input({ shape: [3, 4, 4] }), input({ shape: gateShape })];
      const operands = gateFirst ? [gate, x] : [x, gate];
      const outputs = [layers.multiply(), layers.average(), layers.maximum()].map((join) => apply(join, operands));
      const { ops } = await expectSame(modelOf({ inputs: [x, gate], outputs }));
      expect(ops).not.toContain('Transpose');
    }
  });

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

  it('folds into depthwise, separable and transposed convolutions', async () => {
    const { ops } = await expectSame(
      build([5, 5, 2], (x) =>
        [
          layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2 }),
          layers.separableConv2d({ filters: 3, kernelSize: 2 }),
          layers.conv2dTranspose({ filters: 4, kernelSize: 2, strides: 2 }),
        ].reduce((y, layer) => apply(layers.batchNormalization(), apply(layer, y)), x),
      ),
    );
    expect(ops).toEqual(['Conv', 'Conv', 'Conv', 'ConvTranspose']);
  });

  it('leaves the norm when the convolution is an output too', async () => {
    const x = input({ shape: [3, 3, 2] });
    const y = apply(layers.conv2d({ filters: 2, kernelSize: 1 }), x);
    const model = modelOf({ inputs: x, outputs: [y, apply(layers.batchNormalization(), y)] });
    randomise(model, 3);
    expect((await expectSame(model)).ops).toEqual(['Conv', 'BatchNormalization']);
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

describe('layouts', () => {
  const transposes = (ops: string[]) => ops.filter((op) => op === 'Transpose').length;

  it('takes no transpose from an image through a U-shaped network, pixel by pixel', async () => {
    const { ops } = await expectSame(
      build([4, 4, 3], (x) => {
        const down = apply(layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }), x);
        const deep = apply(layers.layerNormalization(), apply(layers.dense({ units: 8, activation: 'gelu' }), down));
        const up = apply(layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 2 }), deep);
        return apply(layers.softmax({ axis: -1 }), apply(layers.concatenate(), [x, up]));
      }),
    );
    expect(transposes(ops)).toBe(0);
  });

  it('makes tokens of an image with a single transpose, wherever they are read', async () => {
    const { ops } = await expectSame(
      build([4, 4, 3], (x) => {
        const patches = apply(layers.conv2d({ filters: 6, kernelSize: 2, strides: 2 }), x);
        const tokens = apply(layers.reshape({ targetShape: [4, 6] }), patches);
        const mixed = apply(layers.dense({ units: 6 }), apply(layers.layerNormalization(), tokens));
        return apply(
          layers.globalAveragePooling1d({}),
          apply(layers.add(), [mixed, apply(layers.add(), [tokens, mixed])]),
        );
      }),
    );
    expect(transposes(ops)).toBe(1);
  });

  it('takes no transpose through a convolutional network for sequences', async () => {
    const { ops } = await expectSame(
      build([8, 3], (x) => {
        const conv = apply(layers.batchNormalization(), apply(layers.conv1d({ filters: 4, kernelSize: 3 }), x));
        const dense = apply(layers.dense({ units: 4 }), apply(layers.maxPooling1d({ poolSize: 2 }), conv));
        return apply(layers.dense({ units: 2 }), apply(layers.flatten(), dense));
      }),
    );
    expect(ops).toEqual(['Conv', 'MaxPool', 'Conv', 'Flatten', 'Gemm']);
  });

  it('undoes a permutation that only moves the channels to the front or the back', async () => {
    const there = await expectSame(
      build([2, 3, 4], (x) => {
        const rows = apply(layers.reshape({ targetShape: [4, 6] }), apply(layers.permute({ dims: [3, 1, 2] }), x));
        return apply(layers.globalMaxPooling1d(), rows);
      }),
    );
    expect(transposes(there.ops)).toBe(0);
  });

  it('makes an image of units without a transpose, also behind a norm and an activation', async () => {
    const { ops } = await expectSame(
      build([3], (x) => {
        const units = apply(layers.reLU(), apply(layers.batchNormalization(), apply(layers.dense({ units: 24 }), x)));
        const image = apply(layers.reshape({ targetShape: [2, 3, 4] }), units);
        return apply(layers.conv2d({ filters: 2, kernelSize: 2 }), image);
      }),
    );
    expect(ops).toEqual(['Gemm', 'Relu', 'Reshape', 'Conv']);
  });

  it('keeps the transpose where the units are read elsewhere', async () => {
    const { ops } = await expectSame(
      build([3], (x) => {
        const units = apply(layers.dense({ units: 12 }), x);
        const image = apply(layers.reshape({ targetShape: [2, 3, 2] }), units);
        const pooled = apply(layers.globalMaxPooling2d({}), apply(layers.conv2d({ filters: 2, kernelSize: 2 }), image));
        return apply(layers.concatenate(), [pooled, units]);
      }),
    );
    expect(transposes(ops)).toBe(1);
  });

  it('adds flattened images without putting them in order', async () => {
    const { ops } = await expectSame(
      build([2, 3, 4], (x) => {
        const [a, b] = [flatten(x), flatten(apply(layers.reLU(), x))];
        return apply(layers.dense({ units: 3 }), apply(layers.add(), [a!, b!]));
      }),
    );
    expect(ops).toEqual(['Flatten', 'Relu', 'Flatten', 'Add', 'Gemm']);
  });
});

it('writes nested models layer by layer, and a layer in several places for each', async () => {
  const conv = layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same' });
  const inside = input({ shape: [4, 4, 2] });
  const nested = modelOf({ inputs: inside, outputs: apply(layers.reLU(), apply(conv, inside)) });
  const { ops } = await expectSame(build([4, 4, 2], (x) => flatten(apply(nested, apply(nested, x)))));
  expect(ops).toEqual(['Conv', 'Relu', 'Conv', 'Relu', 'Flatten', 'Gather']);
});

describe('shared layers', () => {
  it('write their weights once', async () => {
    const conv = layers.conv2d({ name: 'conv', filters: 2, kernelSize: 3, padding: 'same' });
    const { initializers, nodeNames } = await expectSame(build([4, 4, 2], (x) => apply(conv, apply(conv, x))));
    expect([...initializers.keys()]).toEqual(['conv/kernel', 'conv/bias']);
    expect(nodeNames).toEqual(['conv', 'conv_1']);
  });

  it('get weights of their own where another norm is folded into each', async () => {
    const conv = layers.conv2d({ name: 'conv', filters: 2, kernelSize: 1 });
    const branch = (x: SymbolicTensor) => apply(layers.batchNormalization(), apply(conv, x));
    const { ops, initializers } = await expectSame(
      build([3, 3, 2], (x) => apply(layers.concatenate(), [branch(x), branch(x), apply(conv, x)])),
    );
    expect(ops).toEqual(['Conv', 'Conv', 'Conv', 'Concat']);
    expect(initializers.size).toBe(6);
  });
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

it.skipIf(!hasChecker)(`onnx.checker accepts what was written here, and infers the same shapes${without}`, () => {
  expect(written.length).toBeGreaterThan(150);
  return expectAccepted(written);
});
