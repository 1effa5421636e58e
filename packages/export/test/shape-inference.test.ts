import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { checkOnnx } from '../src/index.ts';
import { float32, type GraphSketch, int64, sketch } from './onnx-files.ts';

const image = { x: ['batch', 4, 9, 7] };
const conv = (
  attributes: NonNullable<GraphSketch['nodes'][number]['attributes']>,
  kernel = [6, 4, 3, 2],
): GraphSketch => ({
  inputs: image,
  constants: { w: float32(kernel) },
  nodes: [{ op: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes }],
  outputs: ['y'],
});
const pool = (op: string, attributes: NonNullable<GraphSketch['nodes'][number]['attributes']> = {}): GraphSketch => ({
  inputs: image,
  nodes: [{ op, inputs: ['x'], outputs: ['y'], attributes }],
  outputs: ['y'],
});
const shaped = (
  op: string,
  constants: GraphSketch['constants'] = {},
  rest: Partial<GraphSketch['nodes'][number]> = {},
): GraphSketch => ({
  inputs: image,
  constants,
  nodes: [{ op, inputs: ['x', ...Object.keys(constants)], outputs: ['y'], ...rest }],
  outputs: ['y'],
});

const cases: Readonly<Record<string, GraphSketch>> = {
  'Conv plain': conv({}),
  'Conv strides, pads, dilations': conv({ strides: [2, 1], pads: [1, 0, 2, 3], dilations: [2, 3] }),
  'Conv SAME_UPPER': conv({ auto_pad: 'SAME_UPPER', strides: [2, 3] }),
  'Conv SAME_LOWER': conv({ auto_pad: 'SAME_LOWER', strides: [2, 2] }),
  'Conv VALID': conv({ auto_pad: 'VALID', strides: [3, 2] }),
  'Conv in groups': conv({ group: 2 }, [6, 2, 3, 3]),
  ConvTranspose: {
    ...conv({}),
    constants: { w: float32([4, 3, 3, 2]) },
    nodes: [
      {
        op: 'ConvTranspose',
        inputs: ['x', 'w'],
        outputs: ['y'],
        attributes: { strides: [2, 3], pads: [1, 0, 0, 1], output_padding: [1, 0], group: 2 },
      },
    ],
  },
  'MaxPool with indices': {
    ...pool('MaxPool'),
    nodes: [
      { op: 'MaxPool', inputs: ['x'], outputs: ['y', 'i'], attributes: { kernel_shape: [2, 3], strides: [2, 2] } },
    ],
    outputs: ['y', 'i'],
  },
  'MaxPool ceil': pool('MaxPool', { kernel_shape: [3, 2], strides: [3, 3], ceil_mode: 1 }),
  'MaxPool ceil, last window in the padding': pool('MaxPool', {
    kernel_shape: [2, 2],
    strides: [2, 4],
    pads: [0, 0, 1, 1],
    ceil_mode: 1,
  }),
  'MaxPool dilated': pool('MaxPool', { kernel_shape: [2, 2], dilations: [3, 2], pads: [1, 1, 1, 1] }),
  'AveragePool SAME_UPPER': pool('AveragePool', { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }),
  GlobalAveragePool: pool('GlobalAveragePool'),
  'Flatten at 1': shaped('Flatten', {}, { attributes: { axis: 1 } }),
  'Flatten at -1': shaped('Flatten', {}, { attributes: { axis: -1 } }),
  'Flatten at 0': shaped('Flatten', {}, { attributes: { axis: 0 } }),
  'Reshape copying the batch': shaped('Reshape', { shape: int64(0, -1) }),
  'Reshape with the batch open': shaped('Reshape', { shape: int64(-1, 28, 9) }),
  'Reshape of features': shaped('Reshape', { shape: int64(0, 2, 2, 63) }),
  Transpose: shaped('Transpose', {}, { attributes: { perm: [0, 2, 3, 1] } }),
  Unsqueeze: shaped('Unsqueeze', { axes: int64(1, -1) }),
  'Slice, steps and negative ends': shaped('Slice', {
    starts: int64(0, 8, -5),
    ends: int64(3, -100, -1),
    axes: int64(1, 2, 3),
    steps: int64(2, -3, 1),
  }),
  'Pad all axes': shaped('Pad', { pads: int64(0, 1, 2, 3, 0, 4, 5, -6) }),
  'Gather two axes': shaped('Gather', { indices: int64(0, 3, -1) }, { attributes: { axis: 1 } }),
  'Split in equal parts': {
    ...shaped('Split'),
    nodes: [{ op: 'Split', inputs: ['x'], outputs: ['y', 'z'], attributes: { axis: 1 } }],
    outputs: ['y', 'z'],
  },
  'Split in given parts': {
    ...shaped('Split'),
    constants: { parts: int64(1, 3) },
    nodes: [{ op: 'Split', inputs: ['x', 'parts'], outputs: ['y', 'z'], attributes: { axis: 1 } }],
    outputs: ['y', 'z'],
  },
  Concat: {
    inputs: { x: ['batch', 4, 9, 7], z: ['batch', 5, 9, 7] },
    nodes: [{ op: 'Concat', inputs: ['x', 'z', 'x'], outputs: ['y'], attributes: { axis: -3 } }],
    outputs: ['y'],
  },
  'Add with broadcast': shaped('Add', { b: float32([4, 1, 7]) }),
  'PRelu over channels': shaped('PRelu', { slope: float32([4, 1, 1]) }),
  'Where on a comparison': {
    inputs: image,
    constants: { b: float32([1, 7]) },
    nodes: [
      { op: 'Greater', inputs: ['x', 'b'], outputs: ['is'] },
      { op: 'Where', inputs: ['is', 'x', 'b'], outputs: ['y'] },
    ],
    outputs: ['is', 'y'],
  },
  'ReduceMean of the image': shaped('ReduceMean', {}, { attributes: { axes: [2, 3], keepdims: 0 } }),
  'ReduceMean kept': shaped('ReduceMean', {}, { attributes: { axes: [-1] } }),
  'ReduceMax in opset 18': { ...shaped('ReduceMax', { axes: int64(1, 3) }), opset: 18 },
  'ReduceSum with axes': shaped('ReduceSum', { axes: int64(2) }, { attributes: { keepdims: 0 } }),
  'MatMul in a stack': shaped('MatMul', { w: float32([7, 5]) }),
  'MatMul with a vector': shaped('MatMul', { w: float32([7]) }),
  'Gemm transposed': {
    inputs: { x: ['batch', 6] },
    constants: { w: float32([3, 6]), b: float32([3]) },
    nodes: [{ op: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes: { transB: 1 } }],
    outputs: ['y'],
  },
  Einsum: {
    inputs: { x: ['batch', 5, 6], z: ['batch', 6, 4] },
    nodes: [{ op: 'Einsum', inputs: ['x', 'z'], outputs: ['y'], attributes: { equation: 'bij,bjk->bki' } }],
    outputs: ['y'],
  },
  LayerNormalization: shaped('LayerNormalization', { scale: float32([7]), bias: float32([7]) }),
  'Resize by factors': {
    inputs: image,
    constants: { factors: { ...float32([4]), rawData: new Uint8Array(Float32Array.of(1, 1, 2, 1.5).buffer) } },
    nodes: [{ op: 'Resize', inputs: ['x', '', 'factors'], outputs: ['y'] }],
    outputs: ['y'],
  },
  DepthToSpace: shaped('DepthToSpace', {}, { attributes: { blocksize: 2 } }),
  'the flattening that PyTorch writes': {
    inputs: image,
    constants: { first: int64(0), minus: int64(-1), axes: int64(0) },
    nodes: [
      { op: 'Shape', inputs: ['x'], outputs: ['shape'] },
      { op: 'Gather', inputs: ['shape', 'first'], outputs: ['batch'] },
      { op: 'Concat', inputs: ['batch', 'minus'], outputs: ['wanted'], attributes: { axis: 0 } },
      { op: 'Reshape', inputs: ['x', 'wanted'], outputs: ['y'] },
    ],
    outputs: ['y'],
  },
  'Clip and Dropout in opset 7': {
    opset: 7,
    inputs: image,
    nodes: [
      { op: 'Clip', inputs: ['x'], outputs: ['c'], attributes: { min: { float: 0 }, max: { float: 6 } } },
      { op: 'Dropout', inputs: ['c'], outputs: ['y'], attributes: { ratio: { float: 0.5 } } },
    ],
    outputs: ['c', 'y'],
  },
  'Pad in opset 10': {
    ...shaped('Pad', {}, { attributes: { mode: 'constant', pads: [0, 1, 2, 0, 0, 0, 1, 3], value: { float: 0.5 } } }),
    opset: 10,
  },
  'Slice in opset 9': {
    ...shaped('Slice', {}, { attributes: { starts: [1, -6], ends: [3, 9999], axes: [1, 3] } }),
    opset: 9,
  },
  'Slice in opset 10': { ...shaped('Slice', { starts: int64(1), ends: int64(-1), axes: int64(2) }), opset: 10 },
  'Split in opset 11': {
    opset: 11,
    inputs: image,
    nodes: [{ op: 'Split', inputs: ['x'], outputs: ['y', 'z'], attributes: { axis: 1, split: [1, 3] } }],
    outputs: ['y', 'z'],
  },
  'Unsqueeze and Squeeze in opset 12': {
    opset: 12,
    inputs: image,
    nodes: [
      { op: 'Unsqueeze', inputs: ['x'], outputs: ['u'], attributes: { axes: [1, 5] } },
      { op: 'Squeeze', inputs: ['u'], outputs: ['y'], attributes: { axes: [1] } },
    ],
    outputs: ['u', 'y'],
  },
  'ReduceSum in opset 12': { ...shaped('ReduceSum', {}, { attributes: { axes: [2, 3], keepdims: 0 } }), opset: 12 },
  'BatchNormalization in opset 8': {
    ...shaped(
      'BatchNormalization',
      { s: float32([4]), b: float32([4]), m: float32([4]), v: float32([4]) },
      { attributes: { spatial: 1 } },
    ),
    opset: 8,
  },
  'Resize in opset 10': {
    opset: 10,
    inputs: image,
    constants: { factors: { ...float32([4]), rawData: new Uint8Array(Float32Array.of(1, 1, 2, 3).buffer) } },
    nodes: [{ op: 'Resize', inputs: ['x', 'factors'], outputs: ['y'], attributes: { mode: 'nearest' } }],
    outputs: ['y'],
  },
  'casts, quantises and widens again': {
    inputs: image,
    constants: { scale: float32([], 0.1), zero: { dataType: 2, dims: [], rawData: Uint8Array.of(7) } },
    nodes: [
      { op: 'QuantizeLinear', inputs: ['x', 'scale', 'zero'], outputs: ['q'] },
      { op: 'DequantizeLinear', inputs: ['q', 'scale', 'zero'], outputs: ['d'] },
      { op: 'Cast', inputs: ['d'], outputs: ['y'], attributes: { to: 7 } },
    ],
    outputs: ['q', 'd', 'y'],
  },
};
/** Axes that can be known where others are products with the batch. */
const open: Readonly<Record<string, readonly number[]>> = { 'Flatten at -1': [1], 'Flatten at 0': [0] };

describe('inferred types and shapes are those that onnxruntime computes', () => {
  it.each(Object.entries(cases))('%s', async (label, graph) => {
    const bytes = sketch(graph);
    const values = checkOnnx(bytes);
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
    for (const batch of [1, 3]) {
      const sized = (dims: readonly (number | string | undefined)[]) =>
        dims.map((dim) => (dim === 'batch' ? batch : dim));
      const feeds = Object.fromEntries(
        Object.entries(graph.inputs ?? {}).map(([name, dims]) => {
          const sizes = sized(dims) as number[];
          const data = new Float32Array(sizes.reduce((product, size) => product * size, 1)).fill(0.25);
          return [name, new Tensor('float32', data, sizes)];
        }),
      );
      const results = await session.run(feeds);
      for (const [name, { type, dims }] of Object.entries(results)) {
        const inferred = values.get(name)!;
        const known = open[label] ?? [...dims.keys()];
        const knownOf = (sizes: readonly unknown[]) => known.map((axis) => sizes[axis]);
        expect(inferred.type, name).toBe(type);
        expect(inferred.dims, name).toHaveLength(dims.length);
        expect(knownOf(sized(inferred.dims!)), name).toEqual(knownOf(dims));
      }
    }
    await session.release();
  });
});
