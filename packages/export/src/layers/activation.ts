import type { LayerNode } from '@secateur/core';
import { configOf, type LayerContext, type LayerConverter } from './converter.ts';

type Activation = (context: LayerContext, x: string, part: string) => string;

const single =
  (opType: string, attributes = {}): Activation =>
  (context, x, part) =>
    context.op(opType, [x], { attributes, part });

const clip =
  (maximum: number): Activation =>
  (context, x, part) => {
    const bounds = [
      context.constant('min', Float32Array.of(0), []),
      context.constant('max', Float32Array.of(maximum), []),
    ];
    return context.op('Clip', [x, ...bounds], { part });
  };

/** By the names that tfjs-layers serialises. Channels are axis 1 in ONNX, of images and of vectors. */
const activations: Readonly<Record<string, Activation>> = {
  linear: (_context, x) => x,
  relu: single('Relu'),
  relu6: clip(6),
  sigmoid: single('Sigmoid'),
  hardSigmoid: single('HardSigmoid', { alpha: { float: 0.2 }, beta: { float: 0.5 } }),
  tanh: single('Tanh'),
  elu: single('Elu', { alpha: { float: 1 } }),
  selu: single('Selu'),
  softplus: single('Softplus'),
  softsign: single('Softsign'),
  softmax: single('Softmax', { axis: { int: 1 } }),
  logSoftmax: single('LogSoftmax', { axis: { int: 1 } }),
  swish: (context, x, part) => context.op('Mul', [x, context.op('Sigmoid', [x], { part: 'sigmoid' })], { part }),
  mish: (context, x, part) => {
    const softplus = context.op('Softplus', [x], { part: 'softplus' });
    return context.op('Mul', [x, context.op('Tanh', [softplus], { part: 'tanh' })], { part });
  },
  gelu: (context, x, part) => {
    const scaled = context.op('Mul', [x, scalar(context, 'sqrt_half', Math.SQRT1_2)], { part: 'scaled' });
    const erf = context.op('Erf', [scaled], { part: 'erf' });
    const twiceProbability = context.op('Add', [erf, scalar(context, 'one', 1)], { part: 'twice_probability' });
    const half = context.op('Mul', [x, scalar(context, 'half', 0.5)], { part: 'halved' });
    return context.op('Mul', [half, twiceProbability], { part });
  },
};

function scalar(context: LayerContext, name: string, value: number): string {
  return context.constant(name, Float32Array.of(value), []);
}

interface WithActivation {
  readonly activation?: string;
}

export function refuseActivation(node: LayerNode): string | undefined {
  const { activation = 'linear' } = configOf<WithActivation>(node);
  return activation in activations ? undefined : `activation '${activation}'`;
}

/** Writes the activation that a layer carries in its configuration behind `x`. */
export function applyActivation(context: LayerContext, x: string): string {
  const { activation = 'linear' } = configOf<WithActivation>(context.node);
  return activations[activation]!(context, x, activation);
}

/** A layer that treats every feature alike, so that their order passes through. */
function elementwise(write: (context: LayerContext, x: string) => string): LayerConverter {
  return {
    takesAnyFeatureOrder: true,
    convert(context) {
      const [{ name, featureOrder }] = context.inputs;
      return { name: write(context, name), featureOrder };
    },
  };
}

/** Layers that do nothing at inference. */
const identity = elementwise((_context, x) => x);

export const activationLayers: Readonly<Record<string, LayerConverter>> = {
  Activation: {
    ...elementwise((context, x) =>
      activations[configOf<{ activation: string }>(context.node).activation]!(context, x, ''),
    ),
    refuse: refuseActivation,
  },
  ReLU: elementwise((context, x) => {
    const { maxValue } = configOf<{ maxValue?: number | null }>(context.node);
    return (maxValue == null ? activations.relu! : clip(maxValue))(context, x, '');
  }),
  LeakyReLU: elementwise((context, x) => {
    const { alpha } = configOf<{ alpha: number }>(context.node);
    return context.op('LeakyRelu', [x], { attributes: { alpha: { float: alpha } } });
  }),
  ELU: elementwise((context, x) => activations.elu!(context, x, '')),
  ThresholdedReLU: elementwise((context, x) => {
    const { theta } = configOf<{ theta: number }>(context.node);
    return context.op('ThresholdedRelu', [x], { attributes: { alpha: { float: theta } } });
  }),
  Softmax: {
    ...elementwise((context, x) => activations.softmax!(context, x, '')),
    refuse(node) {
      const { axis } = configOf<{ axis: number | number[] }>(node);
      const last = node.outputShape.length - 1;
      return [axis].flat().every((a) => a === -1 || a === last)
        ? undefined
        : `axis ${axis}; only the last one is supported`;
    },
  },
  PReLU: {
    async convert(context) {
      const [{ name, shape }] = context.inputs;
      const { sharedAxes } = configOf<{ sharedAxes: number[] | null }>(context.node);
      const nhwc = context.node.outputShape.slice(1) as number[];
      const alphaShape = nhwc.map((size, axis) => (sharedAxes?.includes(axis + 1) ? 1 : size));
      const alpha = await context.weight('alpha');
      const slope =
        shape.length === 3
          ? context.constant('alpha', channelsFirst(alpha, alphaShape), [
              alphaShape[2]!,
              alphaShape[0]!,
              alphaShape[1]!,
            ])
          : context.constant('alpha', alpha, alphaShape);
      return context.op('PRelu', [name, slope]);
    },
  },
  Dropout: identity,
  SpatialDropout2D: identity,
  GaussianNoise: identity,
  GaussianDropout: identity,
  AlphaDropout: identity,
};

function channelsFirst(data: Float32Array, [height, width, channels]: readonly number[]): Float32Array {
  const pixels = height! * width!;
  return Float32Array.from(data, (_, i) => data[(i % pixels) * channels! + Math.floor(i / pixels)]!);
}
