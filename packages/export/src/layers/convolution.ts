import type { LayerNode } from '@secateur/core';
import { applyActivation, refuseActivation } from './activation.ts';
import { configOf, type LayerContext, type LayerConverter, refuseChannelsFirst } from './converter.ts';
import { explicitPads, type Pair } from './same-padding.ts';

interface ConvolutionConfig {
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly dilationRate: Pair;
  readonly padding: string;
  readonly useBias: boolean;
}

interface Kernel {
  /** [out, in / group, height, width] */
  readonly weights: Float32Array;
  readonly inputsPerGroup: number;
  readonly group: number;
  readonly dilations: Pair;
}

async function convolve(context: LayerContext, { weights, inputsPerGroup, group, dilations }: Kernel): Promise<string> {
  const { kernelSize, strides, padding, useBias } = configOf<ConvolutionConfig>(context.node);
  const [{ name, shape }] = context.inputs;
  const input: Pair = [shape[1]!, shape[2]!];
  const filters = context.outputShape[0]!;
  const operands = [name, context.constant('kernel', weights, [filters, inputsPerGroup, ...kernelSize])];
  if (useBias) operands.push(context.constant('bias', await context.weight('bias'), [filters]));
  const output = context.op('Conv', operands, {
    attributes: {
      kernel_shape: { ints: kernelSize },
      strides: { ints: strides },
      dilations: { ints: dilations },
      pads: { ints: explicitPads({ input, size: kernelSize, strides, dilations, padding }) },
      group: { int: group },
    },
  });
  return applyActivation(context, output);
}

/** [height, width, in, out] -> [out, in, height, width] */
function hwioToOihw(kernel: Float32Array, inputs: number, outputs: number): Float32Array {
  const oihw = new Float32Array(kernel.length);
  const taps = kernel.length / (inputs * outputs);
  let read = 0;
  for (let tap = 0; tap < taps; tap++) {
    for (let input = 0; input < inputs; input++) {
      for (let output = 0; output < outputs; output++) {
        oihw[(output * inputs + input) * taps + tap] = kernel[read++]!;
      }
    }
  }
  return oihw;
}

const refuse = (node: LayerNode) => refuseChannelsFirst(node) ?? refuseActivation(node);

export const convolutionLayers: Readonly<Record<string, LayerConverter>> = {
  Conv2D: {
    refuse,
    async convert(context) {
      const { dilationRate } = configOf<ConvolutionConfig>(context.node);
      const inputs = context.inputs[0].shape[0]!;
      const weights = hwioToOihw(await context.weight('kernel'), inputs, context.outputShape[0]!);
      return convolve(context, { weights, inputsPerGroup: inputs, group: 1, dilations: dilationRate });
    },
  },
  DepthwiseConv2D: {
    refuse,
    async convert(context) {
      // The kernel [height, width, channels, multiplier] holds one input for each of its channels * multiplier filters.
      const weights = hwioToOihw(await context.weight('depthwise_kernel'), 1, context.outputShape[0]!);
      // tfjs-layers computes this layer without dilation, whatever its configuration says.
      return convolve(context, { weights, inputsPerGroup: 1, group: context.inputs[0].shape[0]!, dilations: [1, 1] });
    },
  },
};
