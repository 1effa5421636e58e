import * as tf from '@tensorflow/tfjs-core';
import type { TorchBackend } from '../backend.ts';
import { kernel } from '../kernel.ts';
import { checkWindow } from './window.ts';

type PoolAttrs = tf.MaxPoolAttrs;

function poolInfo(x: readonly number[], { filterSize, strides, pad, dimRoundingMode }: PoolAttrs) {
  return tf.backend_util.computePool2DInfo(
    x as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}

function windowOf(info: tf.backend_util.Conv2DInfo): number[] {
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo, outHeight, outWidth } = info;
  return [filterHeight, filterWidth, strideHeight, strideWidth, padInfo.top, padInfo.left, outHeight, outWidth];
}

/** tfjs-backend-cpu takes windows of one pixel that keep the shape as no pooling at all, even with padding. */
function isIdentity({ filterHeight, filterWidth, inShape, outShape }: tf.backend_util.Conv2DInfo): boolean {
  return filterHeight === 1 && filterWidth === 1 && tf.util.arraysEqual(inShape, outShape);
}

function pooled(x: tf.TensorInfo, attrs: PoolAttrs, name: 'maxPool' | 'avgPool', backend: TorchBackend): tf.TensorInfo {
  const info = poolInfo(x.shape, attrs);
  if (isIdentity(info)) return backend.share(x);
  return backend.make(backend.native[name](backend.handle(x), windowOf(info)), info.outShape);
}

const checkInput = ({ inputs, attrs }: { inputs: { x: tf.TensorInfo }; attrs: PoolAttrs }) =>
  checkWindow([inputs.x.shape], attrs);

const checkGradient = ({ inputs, attrs }: { inputs: Gradient; attrs: PoolAttrs }) =>
  checkWindow([inputs.dy.shape, inputs.input.shape], attrs);

interface Gradient {
  readonly dy: tf.TensorInfo;
  readonly input: tf.TensorInfo;
}

/** tfjs-core's gradients forget the rounding of the output's size. */
function fitsForward({ inputs, attrs }: { inputs: Gradient; attrs: PoolAttrs }) {
  const { dimRoundingMode: _, ...rest } = attrs;
  return tf.util.arraysEqual(inputs.dy.shape, poolInfo(inputs.input.shape, rest).outShape);
}

export const poolingKernels = [
  kernel<{ x: tf.TensorInfo }, PoolAttrs>(tf.MaxPool, { check: checkInput }, ({ inputs: { x }, attrs, backend }) =>
    pooled(x, attrs, 'maxPool', backend),
  ),

  kernel<Gradient, PoolAttrs>(
    tf.MaxPoolGrad,
    { check: checkGradient, when: fitsForward },
    ({ inputs: { dy, input }, attrs, backend }) => {
      const window = windowOf(poolInfo(input.shape, attrs));
      return backend.make(backend.native.maxPoolGrad(backend.handle(dy), backend.handle(input), window), input.shape);
    },
  ),

  kernel<{ x: tf.TensorInfo }, PoolAttrs>(tf.AvgPool, { check: checkInput }, ({ inputs: { x }, attrs, backend }) =>
    pooled(x, attrs, 'avgPool', backend),
  ),

  // tfjs-core names this kernel without saying what its attributes are; tf.pool never calls it.
  kernel<{ input: tf.TensorInfo }, PoolAttrs & { poolingType: 'max' | 'avg' }>(
    tf.Pool,
    { check: ({ inputs, attrs }) => checkWindow([inputs.input.shape], attrs) },
    ({ inputs: { input }, attrs, backend }) => {
      const { poolingType } = attrs;
      if (poolingType !== 'max' && poolingType !== 'avg') {
        throw new Error(`Pool: expected poolingType 'max' or 'avg', but got '${String(poolingType)}'.`);
      }
      return pooled(input, attrs, `${poolingType}Pool`, backend);
    },
  ),

  kernel<Gradient, PoolAttrs>(
    tf.AvgPoolGrad,
    { check: checkGradient, when: fitsForward },
    ({ inputs: { dy, input }, attrs, backend }) => {
      const { dimRoundingMode: _, ...rest } = attrs;
      const window = windowOf(poolInfo(input.shape, rest));
      return backend.make(backend.native.avgPoolGrad(backend.handle(dy), window, input.shape), input.shape);
    },
  ),
];
