import { layers } from '@tensorflow/tfjs-layers';
import { asFloat32, axisOf, type Constant } from '../constant.ts';
import { isLastAxis, type TensorValue } from '../value.ts';
import { affine } from './affine.ts';
import { clip } from './clip.ts';
import type { Operator, OperatorContext } from './context.ts';
import { multiply } from './merge.ts';

/** tfjs-layers knows logSoftmax too, but its types do not. */
type ActivationName = Parameters<typeof layers.activation>[0]['activation'] | 'logSoftmax';

function activate(context: OperatorContext, x: TensorValue, activation: ActivationName, part = ''): TensorValue {
  return context.elementwise(
    x,
    {
      nonNegative: NON_NEGATIVE.has(activation),
      create: (name) => layers.activation({ name, activation: activation as 'softmax' }),
    },
    part,
  );
}

const NON_NEGATIVE: ReadonlySet<ActivationName> = new Set<ActivationName>([
  'hardSigmoid',
  'relu',
  'relu6',
  'sigmoid',
  'softmax',
  'softplus',
]);

const named =
  (activation: ActivationName): Operator =>
  (context) =>
    activate(context, context.tensor(), activation);

const clipTo: Operator = (context) => {
  const bound = (index: number, name: string, fallback: number) => {
    const input = context.optionalConstant(index, name);
    if (input && input.data.length !== 1)
      throw new Error(`has ${input.data.length} values for '${name}'; expected one`);
    // Stored as float32: the largest means that there is no bound.
    const value = input ? input.data[0]! : context.attributes.float(name, fallback);
    return Math.abs(value) >= LARGEST_FLOAT ? Math.sign(value) * Number.POSITIVE_INFINITY : value;
  };
  const bounds = { minimum: bound(1, 'min', -LARGEST_FLOAT), maximum: bound(2, 'max', LARGEST_FLOAT) };
  return clip(context, context.tensor(), bounds);
};

const LARGEST_FLOAT = 3.4028234e38;

/** max(0, min(1, alpha x + beta)) */
function hardSigmoid(
  context: OperatorContext,
  { alpha, beta }: { alpha: number; beta: number },
  part = '',
): TensorValue {
  const x = { ...context.tensor(), sole: false };
  // ONNX stores both as float32.
  if (Math.fround(alpha) === Math.fround(0.2) && beta === 0.5) return activate(context, x, 'hardSigmoid', part);
  return clip(context, affine(context, x, { scale: alpha, shift: beta }), { minimum: 0, maximum: 1 }, part);
}

const softmax =
  (activation: 'softmax' | 'logSoftmax'): Operator =>
  (context) => {
    const x = context.tensor();
    const rank = x.axes.length + 1;
    const axis = axisOf(context.attributes.integer('axis', context.opset < 13 ? 1 : -1), rank) - 1;
    if (context.opset < 13 && rank > 2) {
      throw new Error('flattens its input, as before operator set 13; expected [batch, classes]');
    }
    if (axis < 0 || !isLastAxis(x, axis)) throw new Error(`works along axis ${axis + 1}; expected the channels`);
    return activate(context, x, activation);
  };

const parametricRelu: Operator = (context) => {
  const x = context.views.plain(context.tensor());
  const slope = context.constant(1, 'the slope');
  const channels = x.layer.shape.at(-1)!;
  const along = slope.dims.flatMap((size, i) => (size === 1 ? [] : [x.axes.length - slope.dims.length + i]));
  const single = along.length === 0;
  if (!single && (along.length > 1 || !isLastAxis(x, along[0]!) || slope.data.length !== channels || x.order)) {
    throw new Error(`has a slope of shape [${slope.dims}]; expected one number, or one for each channel`);
  }
  const spatial = x.layer.shape.slice(0, -1).map((_, axis) => axis + 1);
  const alpha = { data: single ? new Float32Array(channels).fill(slope.data[0]!) : asFloat32(slope) };
  return context.elementwise(x, {
    weights: new Map([['alpha', { ...alpha, shape: [...spatial.map(() => 1), channels] }]]),
    create: (name) => layers.prelu({ name, sharedAxes: spatial }),
  });
};

const dropout: Operator = (context) => {
  const ratio: Constant | undefined = context.optionalConstant(1, 'ratio');
  const rate = ratio ? ratio.data[0]! : context.attributes.float('ratio', 0.5);
  if (!(rate >= 0 && rate < 1)) throw new Error(`drops a share of ${rate}; expected one from 0 to below 1`);
  const x = context.tensor();
  if (rate === 0) return x;
  return context.elementwise(x, {
    nonNegative: x.layer.nonNegative,
    create: (name) => layers.dropout({ name, rate }),
  });
};

export const activationOperators: Readonly<Record<string, Operator>> = {
  Clip: clipTo,
  Dropout: dropout,
  Elu: (context) => {
    const alpha = context.attributes.float('alpha', 1);
    if (alpha !== 1) throw new Error(`has alpha ${alpha}; tfjs-layers has 1 only`);
    return activate(context, context.tensor(), 'elu');
  },
  Gelu: (context) => {
    const approximate = context.attributes.text('approximate', 'none');
    if (approximate !== 'none') throw new Error(`approximates by '${approximate}'; expected the exact function`);
    return activate(context, context.tensor(), 'gelu');
  },
  HardSigmoid: (context) => {
    const { attributes } = context;
    return hardSigmoid(context, { alpha: attributes.float('alpha', 0.2), beta: attributes.float('beta', 0.5) });
  },
  HardSwish: (context) =>
    multiply(context, [context.tensor(), hardSigmoid(context, { alpha: 1 / 6, beta: 0.5 }, 'gate')]),
  LeakyRelu: (context) => {
    const alpha = context.attributes.float('alpha', 0.01);
    return context.elementwise(context.tensor(), { create: (name) => layers.leakyReLU({ name, alpha }) });
  },
  LogSoftmax: softmax('logSoftmax'),
  Mish: named('mish'),
  PRelu: parametricRelu,
  Relu: named('relu'),
  Selu: named('selu'),
  Sigmoid: named('sigmoid'),
  Softmax: softmax('softmax'),
  Softplus: named('softplus'),
  Softsign: named('softsign'),
  Tanh: named('tanh'),
  ThresholdedRelu: (context) => {
    const theta = context.attributes.float('alpha', 1);
    return context.elementwise(context.tensor(), {
      nonNegative: theta >= 0,
      create: (name) => layers.thresholdedReLU({ name, theta }),
    });
  },
};
