import { configOf, type LayerContext, type LayerConverter, refuseChannelsFirst } from './converter.ts';

type Pair = readonly [number, number];

/** Zeros before and after along each axis of [batch, channels, height, width]. */
type Zeros = readonly [Pair, Pair, Pair, Pair];

function pad(context: LayerContext, x: string, zeros: Zeros): string {
  const sizes = [...zeros.map(([before]) => before), ...zeros.map(([, after]) => after)];
  if (sizes.every((size) => size === 0)) return x;
  return context.op('Pad', [x, context.integers('pads', sizes)]);
}

/** From `starts` to before `ends` of the height and width, every n-th. */
function slice(context: LayerContext, starts: Pair, ends: Pair, { step = 1, part = '' } = {}): string {
  const [{ name }] = context.inputs;
  const ranges = [
    context.integers('starts', starts),
    context.integers('ends', ends),
    context.integers('axes', [2, 3]),
    context.integers('steps', [step, step]),
  ];
  return context.op('Slice', [name, ...ranges], { part });
}

/** Takes every n-th row and column. */
function subsample(context: LayerContext, step: number): string {
  const [{ name, shape }] = context.inputs;
  return step === 1 ? name : slice(context, [0, 0], [shape[0]!, shape[1]!], { step, part: 'subsample' });
}

export const spatialLayers: Readonly<Record<string, LayerConverter>> = {
  ZeroPadding2D: {
    refuse: refuseChannelsFirst,
    convert(context) {
      const { padding } = configOf<{ padding: readonly [Pair, Pair] }>(context.node);
      return pad(context, context.inputs[0].name, [[0, 0], [0, 0], ...padding]);
    },
  },
  ZeroPadShortcut: {
    convert(context) {
      const { strides, padChannels } = configOf<{ strides: number; padChannels: Pair }>(context.node);
      return pad(context, subsample(context, strides), [[0, 0], padChannels, [0, 0], [0, 0]]);
    },
  },
  Cropping2D: {
    refuse: refuseChannelsFirst,
    convert(context) {
      const { cropping } = configOf<{ cropping: readonly [Pair, Pair] }>(context.node);
      const [{ name, shape }] = context.inputs;
      if (cropping.flat().every((size) => size === 0)) return name;
      const [[top, bottom], [left, right]] = cropping;
      return slice(context, [top, left], [shape[0]! - bottom, shape[1]! - right]);
    },
  },
  UpSampling2D: {
    refuse: refuseChannelsFirst,
    convert(context) {
      const { size, interpolation } = configOf<{ size: Pair; interpolation: string }>(context.node);
      const scales = context.constant('scales', Float32Array.of(1, 1, ...size), [4]);
      return context.op('Resize', [context.inputs[0].name, '', scales], {
        attributes: {
          mode: { string: interpolation === 'nearest' ? 'nearest' : 'linear' },
          // TensorFlow.js maps output pixel i to input position i / scale.
          coordinate_transformation_mode: { string: 'asymmetric' },
          nearest_mode: { string: 'floor' },
        },
      });
    },
  },
};
