import { configOf, type LayerContext, type LayerConverter, type Value } from './converter.ts';
import { arrange, onnxAxis, transposeTo } from './layout.ts';

interface BatchNormalizationConfig {
  readonly axis: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
}

type LayerNormalizationConfig = Omit<BatchNormalizationConfig, 'axis'> & { readonly axis: number | readonly number[] };

/** Of batch normalisation, one number for each channel. */
interface Statistics {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

async function statisticsOf(context: LayerContext, size: number): Promise<Statistics> {
  const { epsilon, center, scale } = configOf<BatchNormalizationConfig>(context.node);
  return {
    gamma: scale ? await context.weight('gamma') : new Float32Array(size).fill(1),
    beta: center ? await context.weight('beta') : new Float32Array(size),
    mean: await context.weight('moving_mean'),
    variance: await context.weight('moving_variance'),
    epsilon,
  };
}

function batchNormalization(context: LayerContext, { name, featureOrder }: Value, statistics: Statistics): string {
  const { gamma, beta, mean, variance, epsilon } = statistics;
  const operands = Object.entries({ gamma, beta, moving_mean: mean, moving_variance: variance }).map(
    ([part, values]) => {
      const ordered = featureOrder ? Float32Array.from(featureOrder, (i) => values[i]!) : values;
      return context.constant(part, ordered, [values.length]);
    },
  );
  return context.op('BatchNormalization', [name, ...operands], { attributes: { epsilon: { float: epsilon } } });
}

/** The same as one product and one sum, for channels that come last; ONNX's operator takes them first. */
function scaleAndShift(context: LayerContext, { name }: Value, statistics: Statistics): string {
  const { gamma, beta, mean, variance, epsilon } = statistics;
  const scale = gamma.map((g, i) => g / Math.sqrt(variance[i]! + epsilon));
  const shift = beta.map((b, i) => b - mean[i]! * scale[i]!);
  const scaled = context.op('Mul', [name, context.constant('scale', scale, [scale.length])], { part: 'scaled' });
  return context.op('Add', [scaled, context.constant('shift', shift, [shift.length])]);
}

/** Whether these are the last axes of [batch, ...]; ONNX's LayerNormalization takes no others. */
function areLast(axes: readonly number[], rank: number): boolean {
  return axes.every((axis) => axis >= rank - axes.length);
}

async function layerNormalization(context: LayerContext): Promise<string> {
  const [x] = context.inputs;
  const { axis, epsilon, center, scale } = configOf<LayerNormalizationConfig>(context.node);
  const rank = x.shape.length + 1;
  const axes = [axis].flat().map((number) => (number < 0 ? number + rank : number));
  const inGraph = axes.map((number) => onnxAxis(number, rank, x.layout));
  const shape = x.shape.map((size, i) => (axes.includes(i + 1) ? size : 1));
  const first = Math.min(...inGraph);
  const parameter = (name: string, values: Float32Array) =>
    context.constant(name, transposeTo(x.layout, values, shape), arrange(shape, x.layout).slice(first - 1));
  const size = shape.reduce((product, length) => product * length, 1);
  const gamma = scale ? await context.weight('gamma') : undefined;
  const beta = center ? await context.weight('beta') : undefined;

  if (areLast(inGraph, rank)) {
    const operands = [x.name, parameter('gamma', gamma ?? new Float32Array(size).fill(1))];
    if (beta) operands.push(parameter('beta', beta));
    const attributes = { axis: { int: first }, epsilon: { float: epsilon } };
    return context.op('LayerNormalization', operands, { attributes });
  }
  // Cheaper than to bring the axes to the end and back.
  const mean = context.reduce('ReduceMean', x.name, inGraph, 'mean');
  const centred = context.op('Sub', [x.name, mean], { part: 'centred' });
  const squared = context.op('Mul', [centred, centred], { part: 'squared' });
  const variance = context.reduce('ReduceMean', squared, inGraph, 'variance');
  const above0 = context.op('Add', [variance, context.constant('epsilon', Float32Array.of(epsilon), [])], {
    part: 'above_0',
  });
  const steps: [opType: string, operand: string][] = [['Div', context.op('Sqrt', [above0], { part: 'deviation' })]];
  if (gamma) steps.push(['Mul', parameter('gamma', gamma)]);
  if (beta) steps.push(['Add', parameter('beta', beta)]);
  return steps.reduce((y, [opType, operand], i) => {
    const part = i === steps.length - 1 ? '' : opType.toLowerCase();
    return context.op(opType, [y, operand], { part });
  }, centred);
}

export const normalizationLayers: Readonly<Record<string, LayerConverter>> = {
  BatchNormalization: {
    reads: 'any',
    refuse(node) {
      // TensorFlow.js's engines do not agree about other axes.
      const { axis } = configOf<BatchNormalizationConfig>(node);
      const last = node.outputShape.length - 1;
      return axis === -1 || axis === last ? undefined : `axis ${axis}; only the channel axis (-1) is supported`;
    },
    async convert(context) {
      const [x] = context.inputs;
      const statistics = await statisticsOf(context, x.shape.at(-1)!);
      const channelsAhead = x.layout === 'channelsFirst' || x.shape.length === 1;
      return { ...x, name: (channelsAhead ? batchNormalization : scaleAndShift)(context, x, statistics) };
    },
  },
  LayerNormalization: {
    reads: (node) => (node.outputShape.length > 3 ? 'any' : 'channelsLast'),
    refuse: (node) =>
      [configOf<LayerNormalizationConfig>(node).axis].flat().includes(0) ? 'axis 0, the batch' : undefined,
    convert: layerNormalization,
  },
};
