import { layers } from '@tensorflow/tfjs-layers';
import { explicitPads } from '../../layers/same-padding.ts';
import { asFloat32, product } from '../constant.ts';
import type { Weight } from '../plan.ts';
import { dimsOf, type TensorValue, viewOf } from '../value.ts';
import type { Operator, OperatorContext } from './context.ts';
import { absorbIntoKernel, dilate, oihwToHwio, ungroup } from './kernels.ts';
import { optionalVector } from './vectors.ts';
import { outputSizes, type Pair, placePads, resolvePads } from './windows.ts';

interface Window {
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly group: number;
}

/** Conv in two dimensions: Conv2D, or DepthwiseConv2D where each group has one input. */
const conv: Operator = (context) => {
  const x = context.views.image(context.tensor(), { keepZeros: true });
  const kernel = context.constant(1, 'the kernel');
  const [filters, perGroup, ...size] = kernel.dims as [number, number, number, number];
  if (kernel.dims.length !== 4 || kernel.dims.includes(0))
    throw new Error(`has a kernel of shape [${kernel.dims}]; expected two-dimensional convolution`);
  const named = context.attributes.integers('kernel_shape');
  if (named && String(named) !== String(size)) {
    throw new Error(`says kernel_shape [${named}], but its kernel has [${size}]`);
  }
  const window = {
    strides: context.attributes.pair('strides', { least: 1, fallback: [1, 1] }),
    dilations: context.attributes.pair('dilations', { least: 1, fallback: [1, 1] }),
    group: context.attributes.integer('group', 1),
  };
  const channels = dimsOf(x)[0]!;
  if (window.group < 1 || channels !== perGroup * window.group || filters % window.group !== 0 || filters < 1) {
    throw new Error(
      `has a kernel of [${kernel.dims}] in ${window.group} groups, which does not fit an image of ${channels} channels`,
    );
  }
  const bias = optionalVector(context, 2, { what: 'the bias', length: filters });
  context.budget.compute(kernel.data.length);
  const hwio = oihwToHwio(asFloat32(kernel), kernel.dims);
  return convolve(context, x, { kernel: { data: hwio, shape: [...size, perGroup, filters] }, bias, window });
};

interface Kernel {
  readonly kernel: Weight;
  readonly bias: Float32Array | undefined;
  readonly window: Window;
}

function convolve(context: OperatorContext, x: TensorValue, { kernel: hwio, bias, window }: Kernel): TensorValue {
  const { strides, group } = window;
  const channels = x.layer.shape[2]!;
  const filters = hwio.shape[3]!;
  const depthwise = group > 1 && group === channels;
  // tfjs has no dilated depthwise layer and no convolution that both skips and dilates.
  const spreadTaps = window.dilations.some((rate) => rate > 1) && (depthwise || strides.some((step) => step > 1));
  const dilations: Pair = spreadTaps ? [1, 1] : window.dilations;
  const reach = [0, 1].map((axis) => (hwio.shape[axis]! - 1) * window.dilations[axis]! + 1) as unknown as Pair;
  if (spreadTaps) context.budget.compute(product([...reach, ...hwio.shape.slice(2)]));
  if (group > 1 && !depthwise) context.budget.compute(product(hwio.shape) * group);

  const pads = resolvePads(context, x, { reach, strides });
  const { input, padding } = placePads(context, x, {
    pads,
    same: (size) => explicitPads({ input: size, size: reach, strides, padding: 'same' }),
  });
  const spread = spreadTaps ? dilate(hwio, window.dilations) : hwio;
  const kernelSize = [spread.shape[0]!, spread.shape[1]!] as [number, number];
  const shared = {
    kernelSize,
    strides: [...strides] as [number, number],
    padding,
    dataFormat: 'channelsLast' as const,
  };
  const shape = [...outputSizes(x, { pads, reach, strides }), filters];
  const biasEntry: [string, Weight][] = bias ? [['bias', { data: bias, shape: [filters] }]] : [];
  if (depthwise) {
    const depthMultiplier = filters / channels;
    const weight = { data: spread.data, shape: [...kernelSize, channels, depthMultiplier] };
    return viewOf(
      context.layer({
        shape,
        inputs: [input],
        weights: new Map<string, Weight>([['depthwise_kernel', weight], ...biasEntry]),
        absorb: absorbIntoKernel('depthwise_kernel'),
        create: (name, weights) =>
          layers.depthwiseConv2d({
            name,
            ...shared,
            depthMultiplier,
            useBias: weights.has('bias'),
            depthwiseInitializer: 'zeros',
          }),
      }),
    );
  }
  const weight = group > 1 ? ungroup(spread, group) : spread;
  if (group > 1) {
    context.note(
      `a convolution in ${group} groups became one of all channels, with zeros between groups and ${group} times the operations`,
    );
  }
  return viewOf(
    context.layer({
      shape,
      inputs: [input],
      weights: new Map<string, Weight>([['kernel', weight], ...biasEntry]),
      absorb: absorbIntoKernel('kernel'),
      create: (name, weights) =>
        layers.conv2d({
          name,
          ...shared,
          filters,
          dilationRate: [...dilations] as [number, number],
          useBias: weights.has('bias'),
          kernelInitializer: 'zeros',
        }),
    }),
  );
}

export const convolutionOperators: Readonly<Record<string, Operator>> = {
  Conv: conv,
};
