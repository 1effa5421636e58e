import * as tf from '@tensorflow/tfjs-core';
import type { NativeDtype, ReductionName } from '../binding.ts';
import { preferMeanGradient } from '../gradients.ts';
import { isEmpty, kernel, NATIVE } from '../kernel.ts';

/** tf.max calls its axes by another name. */
interface ReductionAttrs {
  readonly axis?: number | number[];
  readonly reductionIndices?: number | number[];
  readonly keepDims: boolean;
}

interface Input {
  readonly x: tf.TensorInfo;
}

/** An empty tensor reduces to each kernel's neutral element, which the cpu kernels know. */
const notEmpty = ({ inputs: { x } }: { inputs: Input }) => !isEmpty(x);

function reduction(
  kernelName: string,
  name: ReductionName,
  dtypes: readonly NativeDtype[],
  result: (x: tf.TensorInfo) => NativeDtype,
) {
  return kernel<Input, ReductionAttrs>(kernelName, { dtypes, when: notEmpty }, ({ inputs: { x }, attrs, backend }) => {
    if (kernelName === tf.Mean) preferMeanGradient();
    const axes = tf.util.parseAxisParam((attrs.reductionIndices ?? attrs.axis)!, x.shape);
    const [outShape, reduceShape] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = attrs.keepDims ? tf.backend_util.expandShapeToKeepDim(outShape, axes) : outShape;
    // Over no axis at all, and where every axis has length 1, nothing is summed; ATen reads an empty list as "all axes".
    if (reduceShape.length === 0 && x.dtype !== 'bool') return backend.share(x, shape);
    return { ...backend.make(backend.native[name](backend.handle(x), axes), outShape, result(x)), shape };
  });
}

const same = (x: tf.TensorInfo) => x.dtype as NativeDtype;
const bool = () => 'bool' as const;
const sumDtype = (x: tf.TensorInfo) => tf.upcastType(x.dtype, 'int32') as NativeDtype;

export const reductionKernels = [
  reduction(tf.Sum, 'sum', ['float32', 'int32', 'bool'], sumDtype),
  reduction(tf.Mean, 'mean', ['float32'], () => 'float32'),
  reduction(tf.Max, 'max', ['float32', 'int32'], same),
  reduction(tf.Min, 'min', ['float32', 'int32'], same),
  reduction(tf.Prod, 'prod', ['float32'], same),
  reduction(tf.All, 'all', ['bool'], bool),
  reduction(tf.Any, 'any', ['bool'], bool),

  ...(
    [
      [tf.ArgMax, 'argMax'],
      [tf.ArgMin, 'argMin'],
    ] as const
  ).map(([kernelName, name]) =>
    kernel<Input, tf.ArgMaxAttrs>(kernelName, { when: notEmpty }, ({ inputs: { x }, attrs, backend }) => {
      const [axis = 0] = tf.util.parseAxisParam(attrs.axis, x.shape);
      const shape = x.shape.filter((_, i) => i !== axis);
      return backend.make(backend.native[name](backend.handle(x), axis), shape, 'int32');
    }),
  ),

  kernel<{ logits: tf.TensorInfo }, tf.SoftmaxAttrs>(
    tf.Softmax,
    { when: ({ inputs }) => !isEmpty(inputs.logits) },
    ({ inputs: { logits }, attrs, backend }) =>
      backend.make(backend.native.softmax(backend.handle(logits), attrs.dim), logits.shape),
  ),

  kernel<{ logits: tf.TensorInfo }, tf.LogSoftmaxAttrs>(
    tf.LogSoftmax,
    { dtypes: NATIVE },
    ({ inputs: { logits }, attrs, backend }) =>
      backend.make(backend.native.logSoftmax(backend.handle(logits), attrs.axis), logits.shape),
  ),

  kernel<Input, tf.TopKAttrs>(
    tf.TopK,
    { dtypes: ['float32', 'int32'], when: notEmpty },
    ({ inputs: { x }, attrs, backend }) => {
      const [values, indices] = backend.native.topK(backend.handle(x), attrs.k);
      const shape = [...x.shape.slice(0, -1), attrs.k];
      return [backend.make(values, shape, same(x)), backend.make(indices, shape, 'int32')];
    },
  ),

  kernel<Input, tf.CumsumAttrs>(
    tf.Cumsum,
    { dtypes: ['float32', 'int32'] },
    ({ inputs: { x }, attrs: { axis, exclusive, reverse }, backend }) =>
      backend.make(backend.native.cumsum(backend.handle(x), axis, exclusive, reverse), x.shape, same(x)),
  ),
];
