import { axesOf, isChannelAxis, type LayerRule, outputSize } from '../layer-rule.ts';

export const batchNormalization: LayerRule = {
  weights: {
    gamma: { channels: -1 },
    beta: { channels: -1 },
    moving_mean: { channels: -1 },
    moving_variance: { channels: -1 },
  },
  obstacle: (node) => {
    const { axis } = node.layer.getConfig() as { axis: number };
    return axesOf(axis, node).every((number) => isChannelAxis(number, node))
      ? undefined
      : `normalises along axis ${axis}`;
  },
  follow({ inputs, lay }) {
    lay('channels', inputs[0]!);
    return inputs[0]!;
  },
  // The authors count image maps only.
  cost: (node) => ({ macs: 0, authorsFlops: node.outputShape.length === 4 ? 2 * outputSize(node) : 0 }),
};

/** Over channels, mean and variance are those of all of them, so that none can go without moving the others. */
export const layerNormalization: LayerRule = {
  obstacle: (node) =>
    axesOf(node.layer.getConfig().axis as number | number[], node).some((axis) => isChannelAxis(axis, node))
      ? 'normalises over all channels together'
      : undefined,
  follow: ({ inputs }) => inputs[0]!,
};
