import * as tf from '@tensorflow/tfjs-core';
import type { ConvolutionName } from '../binding.ts';
import { type KernelCall, kernel } from '../kernel.ts';
import { computesInBfloat16 } from '../precision.ts';
import { deferConvolution } from './deferred-convolution.ts';
import { checkWindow } from './window.ts';

type ConvInfo = tf.backend_util.Conv2DInfo;
type Shape4D = [number, number, number, number];

/** The attributes that Conv2D, its gradients, the depthwise and the fused forms share. */
interface ConvolutionAttrs {
  readonly strides: [number, number] | number;
  readonly pad: tf.Conv2DAttrs['pad'];
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface FusedAttrs extends ConvolutionAttrs {
  readonly activation: string;
  readonly leakyreluAlpha?: number;
}

interface FusedInputs {
  readonly x: tf.TensorInfo;
  readonly filter: tf.TensorInfo;
  readonly bias?: tf.TensorInfo;
  readonly preluActivationWeights?: tf.TensorInfo;
}

/** What differs between a dense and a depthwise convolution, seen from here. */
interface Kind {
  readonly name: ConvolutionName;
  readonly depthwise: boolean;
}

const DENSE: Kind = { name: 'conv2d', depthwise: false };
const DEPTHWISE: Kind = { name: 'depthwiseConv2d', depthwise: true };

function convInfo(x: readonly number[], filter: readonly number[], attrs: ConvolutionAttrs, kind: Kind): ConvInfo {
  const { strides, pad, dimRoundingMode } = attrs;
  if (!kind.depthwise && x[3] !== filter[2]) {
    throw new Error(
      `Convolution: the filter [${filter}] takes ${filter[2]} channels, but the input [${x}] has ${x[3]}.`,
    );
  }
  return tf.backend_util.computeConv2DInfo(
    x as Shape4D,
    filter as Shape4D,
    strides,
    attrs.dilations ?? 1,
    pad,
    dimRoundingMode,
    kind.depthwise,
  );
}

function geometry(info: ConvInfo): number[] {
  const { strideHeight, strideWidth, padInfo, dilationHeight, dilationWidth, outHeight, outWidth } = info;
  return [strideHeight, strideWidth, padInfo.top, padInfo.left, dilationHeight, dilationWidth, outHeight, outWidth];
}

/** tf.conv2dTranspose may ask for another output than the forward convolution's, and tf.conv2d's gradient forgets its rounding. */
function isOutput(
  dy: tf.TensorInfo,
  x: readonly number[],
  filter: readonly number[],
  attrs: ConvolutionAttrs,
  kind: Kind,
): boolean {
  return tf.util.arraysEqual(dy.shape, convInfo(x, filter, attrs, kind).outShape);
}

const isNhwc = ({ attrs }: { attrs: ConvolutionAttrs }) => (attrs.dataFormat ?? 'NHWC') === 'NHWC';

/** tfjs takes a filter with fewer channels than the input as a grouped convolution. */
const isUngrouped = (channels: number | undefined, filter: readonly number[]) => channels === filter[2];

function convolve(
  kernelName: string,
  { inputs, attrs, backend }: KernelCall<FusedInputs, FusedAttrs>,
  kind: Kind,
): tf.TensorInfo {
  const { x, filter, preluActivationWeights } = inputs;
  const info = convInfo(x.shape, filter.shape, attrs, kind);
  // A bias may come as [C], as [1, 1, 1, C] or as a single number for all channels.
  const bias = inputs.bias && { ...inputs.bias, shape: [info.outChannels] };
  const isPrelu = attrs.activation === 'prelu';
  const bfloat16 = computesInBfloat16();
  const deferred = deferConvolution(backend, {
    kernel: kernelName,
    x,
    filter,
    bias,
    info,
    geometry: geometry(info),
    groups: kind.depthwise ? info.inChannels : 1,
    bfloat16,
    activation: attrs.activation,
  });
  if (deferred) return deferred;
  let y = backend.native[kind.name](
    backend.handle(x),
    backend.handle(filter),
    backend.optionalHandle(bias),
    geometry(info),
    bfloat16,
    isPrelu ? 'linear' : attrs.activation,
    attrs.leakyreluAlpha ?? 0.2,
  );
  if (isPrelu && preluActivationWeights) {
    const linear = y;
    try {
      y = backend.native.prelu(linear, backend.handle(preluActivationWeights));
    } finally {
      backend.native.release(linear);
    }
  }
  return backend.make(y, info.outShape);
}

function forward(kernelName: string, kind: Kind) {
  return kernel<FusedInputs, ConvolutionAttrs>(
    kernelName,
    {
      check: ({ inputs, attrs }) => checkWindow([inputs.x.shape, inputs.filter.shape], attrs),
      when: (call) => isNhwc(call) && (kind.depthwise || isUngrouped(call.inputs.x.shape[3], call.inputs.filter.shape)),
    },
    (call) => convolve(kernelName, { ...call, attrs: { ...call.attrs, activation: 'linear' } }, kind),
  );
}

function fused(kernelName: string, kind: Kind) {
  return kernel<FusedInputs, FusedAttrs>(
    kernelName,
    {
      check: ({ inputs, attrs }) => checkWindow([inputs.x.shape, inputs.filter.shape], attrs),
      when: (call) => {
        const { x, filter, bias } = call.inputs;
        const channels = kind.depthwise ? filter.shape[2]! * filter.shape[3]! : filter.shape[3];
        const oneBiasPerChannel = !bias || tf.util.sizeFromShape(bias.shape) === channels;
        return isNhwc(call) && oneBiasPerChannel && (kind.depthwise || isUngrouped(x.shape[3], filter.shape));
      },
    },
    (call) => convolve(kernelName, call, kind),
  );
}

function inputGradient(kernelName: string, kind: Kind) {
  return kernel<{ dy: tf.TensorInfo; filter: tf.TensorInfo }, ConvolutionAttrs & { inputShape: Shape4D }>(
    kernelName,
    {
      check: ({ inputs, attrs }) => checkWindow([inputs.dy.shape, inputs.filter.shape, attrs.inputShape], attrs),
      when: (call) =>
        isNhwc(call) &&
        (kind.depthwise || isUngrouped(call.attrs.inputShape[3], call.inputs.filter.shape)) &&
        isOutput(call.inputs.dy, call.attrs.inputShape, call.inputs.filter.shape, call.attrs, kind),
    },
    ({ inputs: { dy, filter }, attrs, backend }) => {
      const info = convInfo(attrs.inputShape, filter.shape, attrs, kind);
      const dx = backend.native[`${kind.name}InputGradient`](
        backend.handle(dy),
        backend.handle(filter),
        geometry(info),
        computesInBfloat16(),
        info.inShape,
      );
      return backend.make(dx, info.inShape);
    },
  );
}

function filterGradient(kernelName: string, kind: Kind) {
  return kernel<{ x: tf.TensorInfo; dy: tf.TensorInfo }, ConvolutionAttrs & { filterShape: Shape4D }>(
    kernelName,
    {
      check: ({ inputs, attrs }) => checkWindow([inputs.x.shape, inputs.dy.shape, attrs.filterShape], attrs),
      when: (call) =>
        isNhwc(call) &&
        (kind.depthwise || isUngrouped(call.inputs.x.shape[3], call.attrs.filterShape)) &&
        isOutput(call.inputs.dy, call.inputs.x.shape, call.attrs.filterShape, call.attrs, kind),
    },
    ({ inputs: { x, dy }, attrs, backend }) => {
      const info = convInfo(x.shape, attrs.filterShape, attrs, kind);
      const dw = backend.native[`${kind.name}FilterGradient`](
        backend.handle(x),
        backend.handle(dy),
        geometry(info),
        computesInBfloat16(),
        attrs.filterShape,
      );
      return backend.make(dw, attrs.filterShape);
    },
  );
}

export const convolutionKernels = [
  forward(tf.Conv2D, DENSE),
  inputGradient(tf.Conv2DBackpropInput, DENSE),
  filterGradient(tf.Conv2DBackpropFilter, DENSE),
  fused(tf.FusedConv2D, DENSE),
  forward(tf.DepthwiseConv2dNative, DEPTHWISE),
  inputGradient(tf.DepthwiseConv2dNativeBackpropInput, DEPTHWISE),
  filterGradient(tf.DepthwiseConv2dNativeBackpropFilter, DEPTHWISE),
  fused(tf.FusedDepthwiseConv2D, DEPTHWISE),
];
