// How much arithmetic a kernel does, by formula from its shapes, for those that the formulas of the field cover.
import * as tf from '@tensorflow/tfjs-core';

export interface ProfiledCall {
  readonly inputs: Readonly<Record<string, tf.TensorInfo | undefined>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly outputs: readonly tf.TensorInfo[];
}

type Formula = (call: ProfiledCall) => number;

const size = (shape: readonly number[]) => tf.util.sizeFromShape([...shape]);
const shapeOf = ({ inputs }: ProfiledCall, name: string) => inputs[name]!.shape;
const outputSize = ({ outputs }: ProfiledCall) => size(outputs[0]!.shape);
const filterShape = ({ attrs }: ProfiledCall) => attrs.filterShape as readonly number[];

/** What each output of a dense convolution is a sum of: a window over the filter's input channels. Filters end in [in, out]. */
const perOutput = (filter: readonly number[]) => size(filter) / filter.at(-1)!;
/** The window alone; depthwise filters are [height, width, channels, multiplier]. */
const windowOf = (filter: readonly number[]) => filter[0]! * filter[1]!;

const convolution: Formula = (call) => 2 * outputSize(call) * perOutput(shapeOf(call, 'filter'));
const inputGradient: Formula = (call) => 2 * size(shapeOf(call, 'dy')) * perOutput(shapeOf(call, 'filter'));
const filterGradient: Formula = (call) => 2 * size(shapeOf(call, 'dy')) * perOutput(filterShape(call));
const depthwise: Formula = (call) => 2 * outputSize(call) * windowOf(shapeOf(call, 'filter'));
const product: Formula = (call) => 2 * outputSize(call) * shapeOf(call, 'a').at(call.attrs.transposeA ? -2 : -1)!;

const FORMULAS: Readonly<Record<string, Formula>> = {
  [tf.Conv2D]: convolution,
  [tf.FusedConv2D]: convolution,
  [tf.Conv3D]: convolution,
  [tf.Conv2DBackpropInput]: inputGradient,
  [tf.Conv3DBackpropInputV2]: inputGradient,
  [tf.Conv2DBackpropFilter]: filterGradient,
  [tf.Conv3DBackpropFilterV2]: filterGradient,
  [tf.DepthwiseConv2dNative]: depthwise,
  [tf.FusedDepthwiseConv2D]: depthwise,
  [tf.DepthwiseConv2dNativeBackpropInput]: (call) => 2 * size(shapeOf(call, 'dy')) * windowOf(shapeOf(call, 'filter')),
  [tf.DepthwiseConv2dNativeBackpropFilter]: (call) => 2 * size(shapeOf(call, 'dy')) * windowOf(filterShape(call)),
  [tf.BatchMatMul]: product,
  [tf._FusedMatMul]: product,
};

/** Kernels that compute nothing: their output is their input under another shape. */
const SHARING: ReadonlySet<string> = new Set([tf.Identity, tf.Reshape, tf.ExpandDims]);

/**
 * Multiplications and additions of one call, two for each product that is summed, zeros of a padding included; biases and
 * activations are not counted. undefined for kernels that are neither convolution nor matrix product.
 */
export function flopsOf(kernelName: string, call: ProfiledCall): number | undefined {
  return FORMULAS[kernelName]?.(call);
}

export function movesMemory(kernelName: string): boolean {
  return !SHARING.has(kernelName);
}
