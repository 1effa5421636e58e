import '@secateur/core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { exportOnnx, importOnnx, nhwcToNchw } from '../src/index.ts';
import { type File, type FileNode, floats, integers, onnxFile } from './onnx-files.ts';
import { expectClose, randomImages, randomNumbers, runModel } from './oracle.ts';

/** Of a file's first output, as onnxruntime computes it for images in the file's own layout. */
async function answersOf(bytes: Uint8Array, data: Float32Array, dims: readonly number[]) {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const output = (await session.run({ [session.inputNames[0]!]: new Tensor('float32', data, dims) }))[
    session.outputNames[0]!
  ]!;
  await session.release();
  return { data: output.data as Float32Array, dims: output.dims };
}

/** Imports a file and fails unless the model gives what onnxruntime gives; images stay images. Returns the layers. */
async function compare(file: File, layout: 'NCHW' | 'NHWC' = 'NCHW') {
  const bytes = onnxFile(file);
  const { model, notes } = await importOnnx(bytes);
  try {
    const images = randomImages(model, 2);
    const [count, height, width, channels] = images.shape as [number, number, number, number];
    const isImage = images.shape.length === 4 && layout === 'NCHW';
    const data = isImage ? nhwcToNchw(images.data, images.shape) : images.data;
    const dims = isImage ? [count, channels, height, width] : images.shape;
    const expected = await answersOf(bytes, data, dims);
    expectClose(runModel(model, images), expected.data);
    if (expected.dims.length === 2) {
      const again = await exportOnnx(model);
      const nchw = images.shape.length === 4 ? nhwcToNchw(images.data, images.shape) : images.data;
      const size = images.shape.length === 4 ? [count, channels, height, width] : images.shape;
      expectClose((await answersOf(again, nchw, size)).data, expected.data);
    }
    return { layers: model.layers.slice(1).map((layer) => layer.getClassName()), notes };
  } finally {
    model.dispose();
  }
}

const small = (dims: readonly number[], seed = 3) => {
  const next = randomNumbers(seed);
  return floats(dims, next);
};

describe('convolutions', () => {
  const size = (minimum: number, maximum: number) => fc.integer({ min: minimum, max: maximum });
  const pair = (minimum: number, maximum: number) => fc.tuple(size(minimum, maximum), size(minimum, maximum));

  it('give what onnxruntime gives, whatever the groups, dilations, strides and padding', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          image: pair(5, 9),
          kernel: pair(1, 3),
          strides: pair(1, 3),
          dilations: pair(1, 2),
          pads: fc.tuple(size(0, 2), size(0, 2), size(0, 2), size(0, 2)),
          autoPad: fc.constantFrom('NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'),
          groups: fc.constantFrom(1, 2, 4),
          perGroup: size(1, 2),
          bias: fc.boolean(),
        }),
        async ({ image, kernel, strides, dilations, pads, autoPad, groups, perGroup, bias }) => {
          const [inputs, filters] = [4, groups * perGroup];
          // onnxruntime itself does not do automatic padding of dilated convolutions.
          const auto = autoPad !== 'NOTSET' && autoPad !== 'VALID' && String(dilations) !== '1,1' ? 'VALID' : autoPad;
          await compare({
            input: ['batch', inputs, ...image],
            nodes: [
              {
                op: 'Conv',
                inputs: ['x', 'w', ...(bias ? ['b'] : [])],
                attributes: {
                  strides,
                  dilations,
                  group: groups,
                  ...(auto === 'NOTSET' ? { pads } : { auto_pad: auto }),
                },
              },
            ],
            tensors: { w: small([filters, inputs / groups, ...kernel]), ...(bias && { b: small([filters], 5) }) },
          });
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  it('take a batch normalisation, a scale and a shift in, and become what they can', async () => {
    const perChannel = (seed: number) => small([1, 4, 1, 1], seed);
    const nodes: FileNode[] = [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['a'] },
      { op: 'Add', inputs: ['a', 'shift'], outputs: ['b'] },
      { op: 'Mul', inputs: ['scale', 'b'], outputs: ['c'] },
      { op: 'Sub', inputs: ['one', 'c'], outputs: ['d'] },
      { op: 'BatchNormalization', inputs: ['d', 'gamma', 'beta', 'mean', 'variance'] },
    ];
    const vectors = {
      gamma: small([4], 1),
      beta: small([4], 2),
      mean: small([4], 3),
      variance: floats([4], (i) => 1 + i),
    };
    const tensors = {
      w: small([4, 3, 3, 3]),
      shift: perChannel(4),
      scale: perChannel(5),
      one: floats([], () => 1),
      ...vectors,
    };
    expect((await compare({ nodes, tensors })).layers).toEqual(['Conv2D', 'BatchNormalization']);

    // The convolution's own output is read elsewhere too, so that it must stay as it is.
    const forked: FileNode[] = [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['a'] },
      { op: 'Identity', inputs: ['a'], outputs: ['same'] },
      { op: 'Add', inputs: ['same', 'shift'], outputs: ['b'] },
      { op: 'Mul', inputs: ['a', 'b'] },
    ];
    const { layers: apart, notes } = await compare({ nodes: forked, tensors: { w: tensors.w, shift: tensors.shift } });
    expect(apart).toEqual(['Conv2D', 'DepthwiseConv2D', 'Multiply']);
    expect(notes).toEqual([expect.stringMatching(/^Add_2: a scale or shift became a depthwise convolution/)]);
  });
});

describe('poolings', () => {
  it('give what onnxruntime gives, or are refused', async () => {
    const size = (minimum: number, maximum: number) => fc.integer({ min: minimum, max: maximum });
    const pair = (minimum: number, maximum: number) => fc.tuple(size(minimum, maximum), size(minimum, maximum));
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          op: fc.constantFrom('MaxPool', 'AveragePool'),
          image: pair(4, 9),
          kernel: pair(2, 4),
          strides: pair(1, 3),
          pads: fc.tuple(size(0, 1), size(0, 1), size(0, 1), size(0, 1)),
          ceil: size(0, 1),
          counted: size(0, 1),
          positive: fc.boolean(),
        }),
        async ({ op, image, kernel, strides, pads, ceil, counted, positive }) => {
          const attributes = { kernel_shape: kernel, strides, pads, ceil_mode: ceil };
          const file: File = {
            input: ['batch', 3, ...image],
            nodes: [
              { op: positive ? 'Relu' : 'Neg', outputs: ['a'] },
              {
                op,
                inputs: ['a'],
                attributes: { ...attributes, ...(op === 'AveragePool' && { count_include_pad: counted }) },
              },
            ],
          };
          try {
            await compare(file);
            compared++;
          } catch (error) {
            expect(String(error)).toMatch(
              /that it does not count|counts its padding but not|around values that can be negative/,
            );
          }
        },
      ),
      { numRuns: 120, seed: 2 },
    );
    expect(compared).toBeGreaterThan(60);
  });

  it('are global where they look at the whole image, and reduce height and width', async () => {
    for (const op of ['GlobalAveragePool', 'GlobalMaxPool']) {
      const nodes = [
        { op, outputs: ['a'] },
        { op: 'Flatten', inputs: ['a'] },
      ];
      expect((await compare({ nodes })).layers).toEqual([`${op}ing2D`]);
    }
    for (const [op, layer] of [
      ['ReduceMean', 'GlobalAveragePooling2D'],
      ['ReduceMax', 'GlobalMaxPooling2D'],
    ] as const) {
      const nodes = [{ op, attributes: { axes: [-1, 2], keepdims: 0 } }];
      expect((await compare({ nodes })).layers).toEqual([layer]);
    }
  });
});

describe('views', () => {
  const product = (reads: string): FileNode => ({ op: 'MatMul', inputs: [reads, 'kernel'], outputs: ['product'] });

  it('follow tf2onnx: images last to first and back, dense as MatMul and Add', async () => {
    const { layers } = await compare(
      {
        input: ['batch', 7, 6, 3],
        nodes: [
          { op: 'Transpose', outputs: ['a'], attributes: { perm: [0, 3, 1, 2] } },
          { op: 'Conv', inputs: ['a', 'w'], outputs: ['b'], attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] } },
          { op: 'Add', inputs: ['b', 'shift'], outputs: ['c'] },
          { op: 'Relu', inputs: ['c'], outputs: ['d'] },
          { op: 'Transpose', inputs: ['d'], outputs: ['e'], attributes: { perm: [0, 2, 3, 1] } },
          { op: 'Reshape', inputs: ['e', 'flat'], outputs: ['f'] },
          product('f'),
          { op: 'Add', inputs: ['bias', 'product'], outputs: ['g'] },
          { op: 'Softmax', inputs: ['g'] },
        ],
        tensors: {
          w: small([5, 3, 3, 3]),
          shift: small([1, 5, 1, 1]),
          flat: integers(-1, 60),
          kernel: small([60, 4]),
          bias: small([4]),
        },
        opset: 15,
      },
      'NHWC',
    );
    expect(layers).toEqual(['Conv2D', 'Activation', 'Flatten', 'Dense', 'Activation']);
  });

  it('follow chains that work out a shape', async () => {
    const { layers } = await compare({
      nodes: [
        { op: 'Shape', outputs: ['shape'] },
        { op: 'Constant', inputs: [], outputs: ['zero'], attributes: { value: { dims: [], data: [0n] } } },
        { op: 'Gather', inputs: ['shape', 'zero'], outputs: ['n'] },
        { op: 'Unsqueeze', inputs: ['n', 'axis'], outputs: ['n1'] },
        { op: 'Concat', inputs: ['n1', 'rest'], outputs: ['target'], attributes: { axis: 0 } },
        { op: 'Reshape', inputs: ['x', 'target'], outputs: ['flat'] },
        product('flat'),
        { op: 'Add', inputs: ['product', 'bias'] },
      ],
      tensors: { axis: integers(0), rest: integers(-1), kernel: small([192, 4]), bias: small([4]) },
    });
    expect(layers).toEqual(['Flatten', 'Dense']);
  });

  it('keep subsampling, cropping and zeros of channels apart', async () => {
    const slice = (starts: number[], ends: number[], axes: number[], steps: number[]) => ({
      starts: integers(...starts),
      ends: integers(...ends),
      axes: integers(...axes),
      steps: integers(...steps),
    });
    const node = { op: 'Slice', inputs: ['x', 'starts', 'ends', 'axes', 'steps'], outputs: ['a'] };
    const pad = { op: 'Pad', inputs: ['a', 'pads'] };
    const option = await compare({
      nodes: [node, pad],
      tensors: { ...slice([0, 0], [2 ** 40, 8], [2, 3], [2, 2]), pads: integers(0, 2, 0, 0, 0, 1, 0, 0) },
    });
    expect(option.layers).toEqual(['ZeroPadShortcut']);
    const uneven = await compare({
      nodes: [node, pad],
      tensors: { ...slice([1, -7], [7, 8], [2, 3], [1, 3]), pads: integers(0, 0, 1, 0, 0, 0, 0, 2) },
    });
    expect(uneven.layers).toEqual(['Cropping2D', 'Cropping2D', 'MaxPooling2D', 'ZeroPadding2D']);
    // What one pad adds, a slice behind it takes off again.
    const undone = await compare({
      nodes: [
        { op: 'Pad', inputs: ['x', 'pads'], outputs: ['a'] },
        { ...node, inputs: ['a', 'starts', 'ends', 'axes', 'steps'], outputs: ['b'] },
        { op: 'Conv', inputs: ['b', 'w'] },
      ],
      tensors: {
        ...slice([0], [-1], [2], [1]),
        pads: integers(0, 0, 1, 1, 0, 0, 2, 1),
        w: small([2, 3, 3, 3]),
      },
    });
    expect(undone.layers).toEqual(['Conv2D']);
  });

  it('join images, also of one pixel, and features in any order', async () => {
    const gate = await compare({
      nodes: [
        { op: 'GlobalAveragePool', outputs: ['a'] },
        { op: 'Mul', inputs: ['x', 'a'], outputs: ['b'] },
        { op: 'Concat', inputs: ['b', 'x'], outputs: ['c'], attributes: { axis: 1 } },
        { op: 'Max', inputs: ['c', 'c'], outputs: ['d'] },
        { op: 'Sub', inputs: ['d', 'c'] },
      ],
    });
    expect(gate.layers).toContain('Reshape');
    await compare({
      nodes: [
        { op: 'Flatten', outputs: ['a'] },
        { op: 'GlobalMaxPool', outputs: ['b'] },
        { op: 'Squeeze', inputs: ['b', 'spatial'], outputs: ['c'] },
        { op: 'Concat', inputs: ['a', 'c'], outputs: ['d'], attributes: { axis: -1 } },
        {
          op: 'Gemm',
          inputs: ['d', 'kernel', 'bias'],
          attributes: { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
        },
      ],
      tensors: { spatial: integers(2, 3), kernel: small([4, 195]), bias: small([1, 4]) },
    });
  });
});

it('layers get names that tfjs takes, whatever those of the file begin with', async () => {
  const file = onnxFile({
    nodes: [
      { op: 'Conv', inputs: ['x', '_stem.weight'], outputs: ['a'], name: 'first' },
      { op: 'Mul', inputs: ['a', 'a'], outputs: ['b'], name: '-/_both' },
      { op: 'Mul', inputs: ['b', 'scale'], name: '/__' },
    ],
    tensors: { '_stem.weight': small([4, 3, 3, 3]), scale: small([4, 1, 1]) },
  });
  const { model } = await importOnnx(file);
  expect(model.layers.slice(1).map(({ name }) => name)).toEqual(['stem', 'both', 'mul_affine']);
  model.dispose();
});

describe('activations', () => {
  it.each<[string, FileNode['attributes']?]>([
    ['Elu'],
    ['HardSigmoid'],
    ['HardSigmoid', { alpha: { float: 0.3 }, beta: { float: 0.4 } }],
    ['HardSwish'],
    ['LeakyRelu', { alpha: { float: 0.2 } }],
    ['Relu'],
    ['Selu'],
    ['Sigmoid'],
    ['Softplus'],
    ['Softsign'],
    ['Tanh'],
    ['ThresholdedRelu', { alpha: { float: 0.3 } }],
    ['Softmax', { axis: 1 }],
    ['LogSoftmax', { axis: 1 }],
    ['Neg'],
  ])('%s %j', async (op, attributes = {}) => {
    await compare({ nodes: [{ op, attributes }] });
    await compare({ nodes: [{ op, attributes }], input: ['batch', 5] });
  });

  it('are recognised as GELU, in whatever order', async () => {
    const scalar = (value: number) => floats([], () => value);
    const tensors = { half: scalar(0.5), one: scalar(1) };
    const torch = await compare({
      nodes: [
        { op: 'Relu', outputs: ['r'] },
        { op: 'Constant', inputs: [], outputs: ['c'], attributes: { value: scalar(Math.SQRT2) } },
        { op: 'Div', inputs: ['r', 'c'], outputs: ['a'] },
        { op: 'Erf', inputs: ['a'], outputs: ['b'] },
        { op: 'Add', inputs: ['b', 'one'], outputs: ['d'] },
        { op: 'Mul', inputs: ['r', 'd'], outputs: ['e'] },
        { op: 'Mul', inputs: ['e', 'half'] },
      ],
      tensors,
    });
    expect(torch.layers).toEqual(['Activation', 'Activation']);
    const model = sequential({
      layers: [
        layers.flatten({ inputShape: [2, 2, 1] }),
        layers.activation({ activation: 'gelu' }),
        layers.dense({ units: 3 }),
      ],
    });
    const { model: own } = await importOnnx(await exportOnnx(model));
    expect(own.layers.map((layer) => layer.getClassName())).toEqual(['InputLayer', 'Flatten', 'Activation', 'Dense']);
    for (const each of [model, own]) each.dispose();
    // Another factor is another function.
    const nodes = [
      { op: 'Mul', inputs: ['x', 'half'], outputs: ['a'] },
      { op: 'Erf', inputs: ['a'] },
    ];
    await expect(compare({ nodes, tensors: { half: tensors.half } })).rejects.toThrow(
      "'Erf_1' (Erf): no layer is known",
    );
  });

  it('clip to whatever bounds', async () => {
    const tensors = { low: floats([], () => -0.25), zero: floats([], () => 0), high: floats([], () => 0.5) };
    const clip = (node: Partial<FileNode>, ...inputs: string[]): File => ({
      nodes: [{ op: 'Clip', inputs: ['x', ...inputs], ...node }],
      tensors: Object.fromEntries(Object.entries(tensors).filter(([name]) => inputs.includes(name))),
    });
    expect((await compare(clip({}, 'zero', 'high'))).layers).toEqual(['ReLU']);
    expect((await compare(clip({}, 'zero'))).layers).toEqual(['Activation']);
    expect((await compare(clip({ op: 'Max' }, 'zero'))).layers).toEqual(['Activation']);
    const [affine, relu] = ['DepthwiseConv2D', 'ReLU'];
    expect((await compare(clip({}, 'low', 'high'))).layers).toEqual([affine, relu, affine]);
    expect((await compare(clip({ op: 'Max' }, 'low'))).layers).toEqual([affine, 'Activation', affine]);
    expect((await compare(clip({ op: 'Min' }, 'high'))).layers).toEqual([affine, 'Activation', affine]);
    expect((await compare(clip({}, '', 'high'))).layers).toEqual([affine, 'Activation', affine]);
    await expect(compare(clip({}, 'high', 'low'))).rejects.toThrow(
      'clips to [0.5, -0.25], which leaves one number or none',
    );
    // As Keras writes a ReLU with a maximum of its own.
    const both = clip({}, 'high');
    const nodes: FileNode[] = [
      { op: 'Relu', outputs: ['a'] },
      { op: 'Min', inputs: ['a', 'high'] },
    ];
    expect((await compare({ ...both, nodes })).layers).toEqual(['Activation', 'ReLU']);
    await expect(
      compare({ nodes: [{ op: 'Max', inputs: ['x', 'w'] }], tensors: { w: floats([3, 1, 1], () => 1) } }),
    ).rejects.toThrow('meets constants of shape [3,1,1]; expected one number');
  });

  it('leaves a final softmax out where logits are asked for, and keeps dropout for training', async () => {
    const file = onnxFile({
      input: ['batch', 5],
      nodes: [
        { op: 'Dropout', inputs: ['x', 'ratio'], outputs: ['a'] },
        { op: 'Gemm', inputs: ['a', 'w'], outputs: ['b'] },
        { op: 'Softmax', inputs: ['b'] },
      ],
      tensors: { w: small([5, 4]), ratio: floats([], () => 0.25) },
    });
    const classes = async (logits: boolean) =>
      (await importOnnx(file, { logits })).model.layers.map((layer) => layer.getClassName());
    expect(await classes(false)).toEqual(['InputLayer', 'Dropout', 'Dense', 'Activation']);
    expect(await classes(true)).toEqual(['InputLayer', 'Dropout', 'Dense']);
  });
});
