import { configOf, type LayerContext, type LayerConverter, refuseChannelsFirst } from './converter.ts';
import type { Pair } from './same-padding.ts';

/** Zeros before and after along each axis of [batch, channels, height, width]. */
type Zeros = readonly [Pair, Pair, Pair, Pair];

function pad(context: LayerContext, x: string, zeros: Zeros): string {
  const sizes = [...zeros.map(([before]) => before), ...zeros.map(([, after]) => after)];
  if (sizes.every((size) => size === 0)) return x;
  return context.op('Pad', [x, integers(context, 'pads', sizes)]);
}

function integers(context: LayerContext, name: string, values: readonly number[]): string {
  return context.constant(name, BigInt64Array.from(values, BigInt), [values.length]);
}

/** Takes every n-th row and column. */
function subsample(context: LayerContext, strides: number): string {
  const [{ name, shape }] = context.inputs;
  if (strides === 1) return name;
  const ranges = [
    integers(context, 'starts', [0, 0]),
    integers(context, 'ends', [shape[1]!, shape[2]!]),
    integers(context, 'axes', [2, 3]),
    integers(context, 'steps', [strides, strides]),
  ];
  return context.op('Slice', [name, ...ranges], { part: 'subsample' });
}

export const paddingLayers: Readonly<Record<string, LayerConverter>> = {
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
};
