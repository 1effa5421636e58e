import * as tf from '@tensorflow/tfjs-core';
import type { NativeDtype } from '../binding.ts';
import { BACKEND_NAME, type KernelCall, kernel, NATIVE } from '../kernel.ts';

interface Input {
  readonly x: tf.TensorInfo;
}

const same = (x: tf.TensorInfo) => x.dtype as NativeDtype;
const { slice_util } = tf;

/** A kernel that returns the same data, whatever its dtype, under the shape given. */
function sharing<Inputs, Attrs>(
  kernelName: string,
  pick: (inputs: Inputs) => tf.TensorInfo,
  shape: (x: tf.TensorInfo, attrs: Attrs) => readonly number[],
): tf.KernelConfig {
  return {
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: (params) => {
      const { inputs, attrs, backend } = params as unknown as KernelCall<Inputs, Attrs>;
      const x = pick(inputs);
      return backend.share(x, shape(x, attrs));
    },
  };
}

function reshaped(x: tf.TensorInfo, { shape }: tf.ReshapeAttrs): number[] {
  const size = tf.util.sizeFromShape(x.shape);
  const inferred = tf.util.inferFromImplicitShape(shape, size);
  if (tf.util.sizeFromShape(inferred) !== size) {
    throw new Error(
      `reshape: [${x.shape}] has ${size} values, but [${inferred}] wants ${tf.util.sizeFromShape(inferred)}.`,
    );
  }
  return inferred;
}

function expanded(x: tf.TensorInfo, { dim }: tf.ExpandDimsAttrs): number[] {
  const position = dim < 0 ? x.shape.length + 1 + dim : dim;
  if (position < 0 || position > x.shape.length) {
    throw new Error(`expandDims: expected an axis of [${x.shape}] or one past it, but got ${dim}.`);
  }
  return x.shape.toSpliced(position, 0, 1);
}

export const shapeKernels = [
  sharing(
    tf.Identity,
    ({ x }: Input) => x,
    (x) => x.shape,
  ),
  sharing(tf.Reshape, ({ x }: Input) => x, reshaped),
  sharing(tf.ExpandDims, ({ input }: { input: tf.TensorInfo }) => input, expanded),

  kernel<Input, tf.TransposeAttrs>(tf.Transpose, { dtypes: NATIVE }, ({ inputs: { x }, attrs: { perm }, backend }) =>
    backend.make(
      backend.native.transpose(backend.handle(x), perm),
      perm.map((axis) => x.shape[axis]!),
      same(x),
    ),
  ),

  kernel<tf.TensorInfo[], tf.ConcatAttrs>(tf.Concat, { dtypes: NATIVE }, ({ inputs, attrs, backend }) => {
    const [axis = 0] = tf.util.parseAxisParam(attrs.axis, inputs[0]!.shape);
    const shapes = inputs.map((part) => part.shape);
    tf.backend_util.assertParamsConsistent(shapes, axis);
    const shape = tf.backend_util.computeOutShape(shapes, axis);
    const filled = inputs.filter((part) => tf.util.sizeFromShape(part.shape) > 0);
    const parts = filled.length > 0 ? filled : inputs;
    const handles = parts.map((part) => backend.handle(part));
    return backend.make(backend.native.concat(handles, axis), shape, same(inputs[0]!));
  }),

  kernel<tf.TensorInfo[], tf.PackAttrs>(tf.Pack, { dtypes: NATIVE }, ({ inputs, attrs: { axis }, backend }) => {
    const [first] = inputs as [tf.TensorInfo, ...tf.TensorInfo[]];
    for (const { shape, dtype } of inputs) {
      tf.util.assertShapesMatch(first.shape, shape, 'stack: all tensors must have one shape. ');
      tf.util.assert(
        dtype === first.dtype,
        () => `stack: expected ${first.dtype} as in the first tensor, but got ${dtype}.`,
      );
    }
    const position = axis < 0 ? first.shape.length + 1 + axis : axis;
    const shape = first.shape.toSpliced(position, 0, inputs.length);
    const handles = inputs.map((part) => backend.handle(part));
    return backend.make(backend.native.pack(handles, position), shape, same(first));
  }),

  kernel<{ value: tf.TensorInfo }, tf.UnpackAttrs>(
    tf.Unpack,
    { dtypes: NATIVE },
    ({ inputs: { value }, attrs, backend }) => {
      const axis = attrs.axis < 0 ? attrs.axis + value.shape.length : attrs.axis;
      const shape = value.shape.toSpliced(axis, 1);
      return backend.native.unpack(backend.handle(value), axis).map((part) => backend.make(part, shape, same(value)));
    },
  ),

  kernel<Input, tf.SplitVAttrs>(tf.SplitV, { dtypes: NATIVE }, ({ inputs: { x }, attrs, backend }) => {
    const [axis = 0] = tf.util.parseAxisParam(attrs.axis, x.shape);
    const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, attrs.numOrSizeSplits, axis);
    return backend.native
      .split(backend.handle(x), sizes, axis)
      .map((part, i) => backend.make(part, x.shape.with(axis, sizes[i]!), same(x)));
  }),

  kernel<Input, tf.SliceAttrs>(tf.Slice, { dtypes: NATIVE }, ({ inputs: { x }, attrs, backend }) => {
    const [begin, size] = slice_util.parseSliceParams(x as tf.Tensor, attrs.begin, attrs.size);
    slice_util.assertParamsValid(x, begin, size);
    return backend.make(backend.native.slice(backend.handle(x), begin, size), size, same(x));
  }),

  kernel<Input, tf.StridedSliceAttrs>(tf.StridedSlice, { dtypes: NATIVE }, ({ inputs: { x }, attrs, backend }) => {
    const info = slice_util.sliceInfo(
      x.shape,
      attrs.begin,
      attrs.end,
      attrs.strides,
      attrs.beginMask,
      attrs.endMask,
      attrs.ellipsisMask,
      attrs.newAxisMask,
      attrs.shrinkAxisMask,
    );
    if (info.isIdentity) return backend.share(x, info.finalShape);
    const size = slice_util.computeOutShape(info.begin, info.end, info.strides).map((length) => Math.max(0, length));
    const sliced = backend.native.stridedSlice(backend.handle(x), info.begin, info.strides, size);
    const whole = backend.make(sliced, size, same(x));
    return { ...whole, shape: info.finalShape };
  }),

  kernel<Input, tf.PadV2Attrs>(tf.PadV2, { dtypes: NATIVE }, ({ inputs: { x }, attrs, backend }) => {
    const shape = x.shape.map((length, axis) => length + attrs.paddings[axis]![0] + attrs.paddings[axis]![1]);
    return backend.make(
      backend.native.pad(backend.handle(x), attrs.paddings.flat(), attrs.constantValue),
      shape,
      same(x),
    );
  }),

  kernel<Input, tf.MirrorPadAttrs>(tf.MirrorPad, { dtypes: NATIVE }, ({ inputs: { x }, attrs, backend }) => {
    const shape = x.shape.map((length, axis) => length + attrs.paddings[axis]![0] + attrs.paddings[axis]![1]);
    const padded = backend.native.mirrorPad(backend.handle(x), attrs.paddings.flat(), attrs.mode === 'reflect');
    return backend.make(padded, shape, same(x));
  }),

  kernel<Input, tf.TileAttrs>(tf.Tile, { dtypes: NATIVE }, ({ inputs: { x }, attrs: { reps }, backend }) =>
    backend.make(
      backend.native.tile(backend.handle(x), reps),
      x.shape.map((length, axis) => length * reps[axis]!),
      same(x),
    ),
  ),

  kernel<Input, tf.BroadCastToAttrs>(
    tf.BroadcastTo,
    { dtypes: NATIVE },
    ({ inputs: { x }, attrs: { shape }, backend }) =>
      backend.make(backend.native.broadcastTo(backend.handle(x), shape), shape, same(x)),
  ),

  kernel<Input, tf.ReverseAttrs>(tf.Reverse, { dtypes: NATIVE }, ({ inputs: { x }, attrs: { dims }, backend }) =>
    backend.make(backend.native.reverse(backend.handle(x), tf.util.parseAxisParam(dims, x.shape)), x.shape, same(x)),
  ),

  kernel<{ input: tf.TensorInfo; numLower: tf.TensorInfo; numUpper: tf.TensorInfo }, tf.MatrixBandPartAttrs>(
    tf.MatrixBandPart,
    { dtypes: NATIVE },
    ({ inputs: { input, numLower, numUpper }, backend }) => {
      const [lower, upper] = [numLower, numUpper].map((count) => Number(backend.readSync(count.dataId)[0]));
      return backend.make(backend.native.bandPart(backend.handle(input), lower!, upper!), input.shape, same(input));
    },
  ),

  kernel<{ x: tf.TensorInfo; indices: tf.TensorInfo }, tf.GatherV2Attrs>(
    tf.GatherV2,
    { dtypes: NATIVE, when: ({ inputs, attrs }) => inputs.indices.dtype === 'int32' && attrs.batchDims === 0 },
    ({ inputs: { x, indices }, attrs, backend }) => {
      const [axis = 0] = tf.util.parseAxisParam(attrs.axis, x.shape);
      const shape = x.shape.toSpliced(axis, 1, ...indices.shape);
      return backend.make(backend.native.gather(backend.handle(x), backend.handle(indices), axis), shape, same(x));
    },
  ),
];
