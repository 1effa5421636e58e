import type { LayerNode } from '@secateur/core';
import { applyActivation, refuseActivation } from './activation.ts';
import { configOf, type LayerContext, type LayerConverter, refuseChannelsFirst } from './converter.ts';
import { sizeOf, transpose } from './layout.ts';
import { explicitPads, transposedPads } from './same-padding.ts';

/** Sizes along the spatial axes, one, two or three of them. */
type Sizes = readonly number[];

interface ConvolutionConfig {
  readonly kernelSize: Sizes;
  readonly strides: Sizes;
  readonly dilationRate: Sizes;
  readonly padding: string;
  readonly useBias: boolean;
}

interface Convolution {
  readonly x: string;
  /** Height and width of `x`. */
  readonly input: Sizes;
  /** The kernel's name in the graph; its shape is [filters, inputs / group, ...size]. */
  readonly kernel: string;
  readonly bias?: string | undefined;
  readonly size: Sizes;
  readonly strides: Sizes;
  readonly dilations?: Sizes;
  readonly padding: string;
  readonly group?: number;
  readonly part?: string;
}

/** Writes a Conv in channels first. */
export function convolve(context: LayerContext, { x, kernel, bias, group = 1, part = '', ...window }: Convolution) {
  const { size, strides, dilations = size.map(() => 1) } = window;
  return context.op('Conv', bias === undefined ? [x, kernel] : [x, kernel, bias], {
    part,
    attributes: {
      kernel_shape: { ints: size },
      strides: { ints: strides },
      dilations: { ints: dilations },
      pads: { ints: explicitPads({ ...window, dilations }) },
      group: { int: group },
    },
  });
}

async function biasOf(context: LayerContext): Promise<string | undefined> {
  if (!configOf<ConvolutionConfig>(context.node).useBias) return undefined;
  const bias = await context.weight('bias');
  return context.constant('bias', bias, [bias.length]);
}

/** TensorFlow's kernel [...size, a, b] as ONNX has it, [b, a, ...size]. */
function channelsAhead(kernel: Float32Array, size: Sizes, [a, b]: readonly [number, number]): Float32Array {
  const axes = size.map((_, axis) => axis);
  return transpose(kernel, [...size, a, b], [size.length + 1, size.length, ...axes]);
}

/** [...size, channels, multiplier] -> [channels * multiplier, 1, ...size]; filter c * multiplier + m reads channel c alone. */
async function depthwiseKernel(context: LayerContext, size: Sizes): Promise<string> {
  const kernel = await context.weight('depthwise_kernel');
  const filters = kernel.length / sizeOf(size);
  return context.constant('depthwise_kernel', channelsAhead(kernel, size, [1, filters]), [filters, 1, ...size]);
}

function refuse(node: LayerNode): string | undefined {
  const { padding } = configOf<ConvolutionConfig>(node);
  const known = padding === 'same' || padding === 'valid';
  return refuseChannelsFirst(node) ?? (known ? refuseActivation(node) : `padding '${padding}'`);
}

const convolution: LayerConverter = {
  refuse,
  async convert(context) {
    const { kernelSize: size, strides, padding, dilationRate } = configOf<ConvolutionConfig>(context.node);
    const [{ name: x, shape }] = context.inputs;
    const [inputs, filters] = [shape.at(-1)!, context.outputShape.at(-1)!];
    const weights = channelsAhead(await context.weight('kernel'), size, [inputs, filters]);
    const kernel = context.constant('kernel', weights, [filters, inputs, ...size]);
    const window = { input: shape.slice(0, -1), size, strides, dilations: dilationRate, padding };
    const name = convolve(context, { x, kernel, bias: await biasOf(context), ...window });
    return applyActivation(context, { name, layout: 'channelsFirst' });
  },
};

const transposedConvolution: LayerConverter = {
  refuse,
  async convert(context) {
    const { kernelSize: size, strides, padding } = configOf<ConvolutionConfig>(context.node);
    const [{ name: x, shape }] = context.inputs;
    const [inputs, filters] = [shape.at(-1)!, context.outputShape.at(-1)!];
    const weights = channelsAhead(await context.weight('kernel'), size, [filters, inputs]);
    const operands = [x, context.constant('kernel', weights, [inputs, filters, ...size])];
    const bias = await biasOf(context);
    if (bias !== undefined) operands.push(bias);
    const { pads, outputPadding } = transposedPads({ size, strides, padding });
    const name = context.op('ConvTranspose', operands, {
      attributes: {
        kernel_shape: { ints: size },
        strides: { ints: strides },
        pads: { ints: pads },
        output_padding: { ints: outputPadding },
      },
    });
    return applyActivation(context, { name, layout: 'channelsFirst' });
  },
};

export const convolutionLayers: Readonly<Record<string, LayerConverter>> = {
  Conv1D: convolution,
  Conv2D: convolution,
  Conv3D: convolution,
  Conv2DTranspose: transposedConvolution,
  Conv3DTranspose: transposedConvolution,
  DepthwiseConv2D: {
    refuse,
    async convert(context) {
      const { kernelSize: size, strides, padding } = configOf<ConvolutionConfig>(context.node);
      const [{ name: x, shape }] = context.inputs;
      const group = shape.at(-1)!;
      const kernel = await depthwiseKernel(context, size);
      // tfjs-layers computes this layer without dilation, whatever its configuration says.
      const window = { input: shape.slice(0, -1), size, strides, padding };
      const name = convolve(context, { x, kernel, bias: await biasOf(context), group, ...window });
      return applyActivation(context, { name, layout: 'channelsFirst' });
    },
  },
  SeparableConv2D: {
    refuse,
    async convert(context) {
      const { kernelSize: size, strides, padding, dilationRate } = configOf<ConvolutionConfig>(context.node);
      const [{ name: x, shape }] = context.inputs;
      const group = shape.at(-1)!;
      const window = { input: shape.slice(0, -1), size, strides, dilations: dilationRate, padding };
      const kernel = await depthwiseKernel(context, size);
      const deep = convolve(context, { x, kernel, group, part: 'depthwise', ...window });

      const weights = await context.weight('pointwise_kernel');
      const [filters, ones] = [context.outputShape.at(-1)!, size.map(() => 1)];
      const inputs = weights.length / filters;
      const pointwise = channelsAhead(weights, ones, [inputs, filters]);
      const name = convolve(context, {
        x: deep,
        kernel: context.constant('pointwise_kernel', pointwise, [filters, inputs, ...ones]),
        bias: await biasOf(context),
        ...{ input: context.outputShape.slice(0, -1), size: ones, strides: ones, padding: 'valid' },
      });
      return applyActivation(context, { name, layout: 'channelsFirst' });
    },
  },
};
