import type { LayerNode } from '@secateur/core';
import { configOf, type LayerContext, type LayerConverter, type Output, type Value } from './converter.ts';
import { arrange, onnxAxis, transposeTo } from './layout.ts';

/** A value as far as an activation needs to know it. */
export type Operand = Pick<Value, 'name' | 'layout'>;

type Activation = (context: LayerContext, x: Operand, part: string) => string;

const single =
  (opType: string, attributes = {}): Activation =>
  (context, { name }, part) =>
    context.op(opType, [name], { attributes, part });

const clip =
  (maximum: number): Activation =>
  (context, { name }, part) =>
    context.op('Clip', [name, scalar(context, 'min', 0), scalar(context, 'max', maximum)], { part });

const overChannels =
  (opType: string): Activation =>
  (context, { name, layout }, part) => {
    const axis = onnxAxis(-1, context.outputShape.length + 1, layout);
    return context.op(opType, [name], { attributes: { axis: { int: axis } }, part });
  };

/** x times half of one plus `y`. */
function halfOfOnePlus(context: LayerContext, x: string, y: string, part: string): string {
  const onePlus = context.op('Add', [y, scalar(context, 'one', 1)], { part: 'one_plus' });
  const half = context.op('Mul', [x, scalar(context, 'half', 0.5)], { part: 'halved' });
  return context.op('Mul', [half, onePlus], { part });
}

/** By the names that tfjs-layers serialises. The two forms of GELU are those that onnxruntime fuses into one kernel. */
export const activations: Readonly<Record<string, Activation>> = {
  linear: (_context, { name }) => name,
  relu: single('Relu'),
  relu6: clip(6),
  sigmoid: single('Sigmoid'),
  hardSigmoid: single('HardSigmoid', { alpha: { float: 0.2 }, beta: { float: 0.5 } }),
  tanh: single('Tanh'),
  elu: single('Elu', { alpha: { float: 1 } }),
  selu: single('Selu'),
  softplus: single('Softplus'),
  softsign: single('Softsign'),
  softmax: overChannels('Softmax'),
  logSoftmax: overChannels('LogSoftmax'),
  swish: (context, { name }, part) =>
    context.op('Mul', [name, context.op('Sigmoid', [name], { part: 'sigmoid' })], { part }),
  mish: (context, { name }, part) => {
    const softplus = context.op('Softplus', [name], { part: 'softplus' });
    return context.op('Mul', [name, context.op('Tanh', [softplus], { part: 'tanh' })], { part });
  },
  gelu: (context, { name }, part) => {
    const scaled = context.op('Div', [name, scalar(context, 'sqrt_two', Math.SQRT2)], { part: 'scaled' });
    return halfOfOnePlus(context, name, context.op('Erf', [scaled], { part: 'erf' }), part);
  },
  gelu_new: (context, { name }, part) => {
    const cube = context.op('Pow', [name, scalar(context, 'three', 3)], { part: 'cube' });
    const term = context.op('Mul', [cube, scalar(context, 'cubic', 0.044715)], { part: 'cubic_term' });
    const sum = context.op('Add', [name, term], { part: 'sum' });
    const scaled = context.op('Mul', [sum, scalar(context, 'scale', Math.sqrt(2 / Math.PI))], { part: 'scaled' });
    return halfOfOnePlus(context, name, context.op('Tanh', [scaled], { part: 'tanh' }), part);
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
export function applyActivation(context: LayerContext, x: Operand): { name: string } & Operand {
  const { activation = 'linear' } = configOf<WithActivation>(context.node);
  return { ...x, name: activations[activation]!(context, x, activation) };
}

/** A layer that treats every feature alike, so that their order passes through. */
function elementwise(write: (context: LayerContext, x: Operand) => string): LayerConverter {
  return {
    reads: 'any',
    convert(context) {
      const [x] = context.inputs;
      return { ...x, name: write(context, x) };
    },
  };
}

/** Layers that do nothing at inference. */
const identity = elementwise((_context, { name }) => name);

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
  LeakyReLU: elementwise((context, { name }) => {
    const { alpha } = configOf<{ alpha: number }>(context.node);
    return context.op('LeakyRelu', [name], { attributes: { alpha: { float: alpha } } });
  }),
  ELU: elementwise((context, x) => activations.elu!(context, x, '')),
  ThresholdedReLU: elementwise((context, { name }) => {
    const { theta } = configOf<{ theta: number }>(context.node);
    return context.op('ThresholdedRelu', [name], { attributes: { alpha: { float: theta } } });
  }),
  Softmax: {
    ...elementwise((context, x) => {
      const { axis } = configOf<{ axis: number | readonly number[] }>(context.node);
      const axes = [axis].flat();
      return axes.length === 1 ? activations.softmax!(context, x, '') : softmaxOver(context, x, axes);
    }),
    refuse(node) {
      const { axis } = configOf<{ axis: number | readonly number[] }>(node);
      const rank = node.outputShape.length;
      const axes = [axis].flat().map((number) => (number < 0 ? number + rank : number));
      const supported = axes.length === 1 ? axes[0] === rank - 1 : !axes.includes(0);
      return supported ? undefined : `axis ${axis}; only the last one, or several without the batch, are supported`;
    },
  },
  PReLU: {
    reads: 'any',
    async convert(context) {
      const [x] = context.inputs;
      const { sharedAxes } = configOf<{ sharedAxes: number | readonly number[] | null }>(context.node);
      const shared = [sharedAxes ?? []].flat();
      const alphaShape = x.shape.map((size, axis) => (shared.includes(axis + 1) ? 1 : size));
      const alpha = await context.weight('alpha');
      const ordered =
        x.featureOrder && alpha.length > 1
          ? Float32Array.from(x.featureOrder, (feature) => alpha[feature]!)
          : transposeTo(x.layout, alpha, alphaShape);
      const slope = context.constant('alpha', ordered, arrange(alphaShape, x.layout));
      return { ...x, name: context.op('PRelu', [x.name, slope]) } satisfies Output;
    },
  },
  Rescaling: elementwise((context, { name }) => {
    const { scale, offset } = configOf<{ scale: number; offset: number }>(context.node);
    const scaled = context.op('Mul', [name, scalar(context, 'scale', scale)], { part: 'scaled' });
    return context.op('Add', [scaled, scalar(context, 'offset', offset)]);
  }),
  Dropout: identity,
  SpatialDropout1D: identity,
  GaussianNoise: identity,
  GaussianDropout: identity,
  AlphaDropout: identity,
};

/** exp(x - log(sum(exp(x)))), as tfjs-layers computes it over several axes. */
function softmaxOver(context: LayerContext, { name, layout }: Operand, axes: readonly number[]): string {
  const rank = context.outputShape.length + 1;
  const inGraph = axes.map((axis) => onnxAxis(axis, rank, layout));
  const sum = context.reduce('ReduceLogSumExp', name, inGraph, 'log_sum_exp');
  return context.op('Exp', [context.op('Sub', [name, sum], { part: 'log' })]);
}
