import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { kernelTable } from '../src/index.ts';
import { tensor } from './helpers.ts';

type Inputs = Record<string, tf.Tensor> | tf.Tensor[];
type Call = readonly [inputs: Inputs, attrs?: object | undefined];

const x = () => tensor([2, 3]);
const image = () => tensor([1, 4, 4, 2]);
const bools = () => tf.tensor2d([1, 0, 1, 0, 1, 1], [2, 3], 'bool');
const one = (attrs?: object): Call => [{ x: x() }, attrs];
const two = (): Call => [{ a: x(), b: tensor([2, 3], 2) }];
const gradientOf = (y: tf.Tensor): tf.Tensor => tf.onesLike(y);
const window = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', dilations: [1, 1], dimRoundingMode: undefined };
const pooling = { filterSize: [2, 2], strides: [2, 2], pad: 'valid', dimRoundingMode: undefined };
const filter = () => tensor([3, 3, 2, 2], 2);
const sequence = (): Call => [{ sortedSequence: tf.tensor2d([[1, 2, 3]]), values: tf.tensor2d([[2.5]]) }];
const reduced = (): Call => [{ x: x() }, { axis: [1], keepDims: false }];
const best = (): Call => [{ x: x() }, { axis: 1 }];

/** Of each kernel with inputs of its own, a call in float32 (in bool or int32 where it takes nothing else). */
const CALLS: Readonly<Record<string, () => Call>> = {
  AddN: () => [[x(), x()]],
  All: () => [{ x: bools() }, { axis: [1], keepDims: false }],
  Any: () => [{ x: bools() }, { axis: [1], keepDims: false }],
  ArgMax: best,
  ArgMin: best,
  AvgPool: () => [{ x: image() }, pooling],
  AvgPoolGrad: () => [{ dy: tensor([1, 2, 2, 2]), input: image() }, pooling],
  BatchMatMul: () => [
    { a: tensor([1, 2, 3]), b: tensor([1, 3, 2]) },
    { transposeA: false, transposeB: false },
  ],
  BroadcastTo: () => one({ shape: [4, 2, 3] }),
  Cast: () => one({ dtype: 'int32' }),
  ClipByValue: () => one({ clipValueMin: -1, clipValueMax: 1 }),
  Concat: () => [[x(), x()], { axis: 0 }],
  Conv2D: () => [{ x: image(), filter: filter() }, window],
  Conv2DBackpropFilter: () => [
    { x: image(), dy: image() },
    { ...window, filterShape: [3, 3, 2, 2] },
  ],
  Conv2DBackpropInput: () => [
    { dy: image(), filter: filter() },
    { ...window, inputShape: [1, 4, 4, 2] },
  ],
  Cumsum: () => one({ axis: 1, exclusive: false, reverse: false }),
  DepthwiseConv2dNative: () => [{ x: image(), filter: filter() }, window],
  DepthwiseConv2dNativeBackpropFilter: () => [
    { x: image(), dy: tensor([1, 4, 4, 4]) },
    { ...window, filterShape: [3, 3, 2, 2] },
  ],
  DepthwiseConv2dNativeBackpropInput: () => [
    { dy: tensor([1, 4, 4, 4]), filter: filter() },
    { ...window, inputShape: [1, 4, 4, 2] },
  ],
  EluGrad: () => [{ dy: gradientOf(x()), y: x() }],
  ExpandDims: () => [{ input: x() }, { dim: 0 }],
  Fill: () => [{}, { shape: [2], value: 1, dtype: 'float32' }],
  FromPixels: () => [
    { pixels: { width: 1, height: 1, data: new Uint8Array(4) } as unknown as tf.Tensor },
    { numChannels: 3 },
  ],
  FusedBatchNorm: () => [
    { x: image(), mean: tensor([2]), variance: tf.ones([2]), offset: tensor([2]), scale: tensor([2]) },
    { varianceEpsilon: 0.001 },
  ],
  FusedConv2D: () => [
    { x: image(), filter: filter(), bias: tensor([2]) },
    { ...window, activation: 'relu' },
  ],
  FusedDepthwiseConv2D: () => [
    { x: image(), filter: filter(), bias: tensor([4]) },
    { ...window, activation: 'relu' },
  ],
  GatherV2: () => [
    { x: x(), indices: tf.tensor1d([1, 0], 'int32') },
    { axis: 0, batchDims: 0 },
  ],
  LeakyRelu: () => one({ alpha: 0.1 }),
  LogSoftmax: () => [{ logits: x() }, { axis: 1 }],
  LogicalAnd: () => [{ a: bools(), b: bools() }],
  LogicalNot: () => [{ x: bools() }],
  LogicalOr: () => [{ a: bools(), b: bools() }],
  LogicalXor: () => [{ a: bools(), b: bools() }],
  LowerBound: sequence,
  MatrixBandPart: () => [{ input: x(), numLower: tf.scalar(1, 'int32'), numUpper: tf.scalar(0, 'int32') }],
  Max: reduced,
  MaxPool: () => [{ x: image() }, pooling],
  MaxPoolGrad: () => [{ dy: tensor([1, 2, 2, 2]), input: image(), output: tensor([1, 2, 2, 2]) }, pooling],
  Mean: reduced,
  Min: reduced,
  MirrorPad: () =>
    one({
      paddings: [
        [1, 0],
        [0, 1],
      ],
      mode: 'reflect',
    }),
  OneHot: () => [{ indices: tf.tensor1d([1, 0], 'int32') }, { depth: 3, onValue: 1, offValue: 0, dtype: 'float32' }],
  Pack: () => [[x(), x()], { axis: 0 }],
  PadV2: () =>
    one({
      paddings: [
        [1, 0],
        [0, 1],
      ],
      constantValue: 0,
    }),
  Pool: () => [{ input: image() }, { ...pooling, poolingType: 'avg' }],
  Prelu: () => [{ x: x(), alpha: tensor([3]) }],
  Prod: reduced,
  Reshape: () => one({ shape: [6] }),
  Reverse: () => one({ dims: [1] }),
  SearchSorted: () => [...sequence().slice(0, 1), { side: 'left' }] as unknown as Call,
  Select: () => [{ condition: bools(), t: x(), e: x() }],
  Slice: () => one({ begin: [0, 1], size: [2, 2] }),
  Softmax: () => [{ logits: x() }, { dim: 1 }],
  SplitV: () => one({ numOrSizeSplits: [1, 2], axis: 1 }),
  Step: () => one({ alpha: 0 }),
  StridedSlice: () =>
    one({
      begin: [0, 0],
      end: [2, 3],
      strides: [1, 2],
      beginMask: 0,
      endMask: 0,
      ellipsisMask: 0,
      newAxisMask: 0,
      shrinkAxisMask: 0,
    }),
  Sum: reduced,
  Tile: () => one({ reps: [2, 1] }),
  TopK: () => one({ k: 2, sorted: true }),
  Transpose: () => one({ perm: [1, 0] }),
  Unpack: () => [{ value: x() }, { axis: 0 }],
  UpperBound: sequence,
  _FusedMatMul: () => [
    { a: tensor([1, 2, 3]), b: tensor([1, 3, 2]) },
    { transposeA: false, transposeB: false, activation: 'linear' },
  ],
};
const BINARY = [
  ...['Add', 'Atan2', 'Equal', 'FloorDiv', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Maximum', 'Minimum'],
  ...['Mod', 'Multiply', 'NotEqual', 'Pow', 'RealDiv', 'SquaredDifference', 'Sub'],
];

/** Kernels of tfjs-backend-cpu that were called since it was asked last. */
const called = vi.fn<(name: string) => void>();
const restore: (() => void)[] = [];

beforeAll(async () => {
  await tf.setBackend('torch');
  for (const config of tf.getKernelsForBackend('cpu')) {
    const { kernelFunc } = config;
    config.kernelFunc = (params) => {
      called(config.kernelName);
      return kernelFunc(params);
    };
    restore.push(() => {
      config.kernelFunc = kernelFunc;
    });
  }
});
afterAll(() => {
  for (const undo of restore) undo();
});

const { native, viaCpu } = kernelTable();

describe('a kernel that the README calls native does not go through tfjs-backend-cpu', () => {
  it.each(native)('%s', (name) => {
    const [inputs, attrs = {}] = CALLS[name]?.() ?? (BINARY.includes(name) ? two() : one());
    called.mockClear();
    const outputs = [tf.engine().runKernel(name, inputs as Record<string, tf.Tensor>, attrs as tf.NamedAttrMap)].flat();
    for (const output of outputs as tf.Tensor[]) output.dataSync();
    expect(called.mock.calls).toEqual([]);
    expect(outputs.length).toBeGreaterThan(0);
  });
});

describe('a kernel that the README calls via cpu does', () => {
  it.each(viaCpu)('%s', (name) => {
    called.mockClear();
    const kernel = tf.getKernel(name, 'torch');
    // It is called with nothing, which most kernels refuse: what counts is which was asked.
    try {
      kernel.kernelFunc({ inputs: {}, attrs: {}, backend: tf.backend() });
    } catch {}
    expect(called.mock.calls[0]).toEqual([name]);
  });
});
