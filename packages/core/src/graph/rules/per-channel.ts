import { axesOf, isChannelAxis, type LayerRule } from '../layer-rule.ts';

/** alpha [...]: one slope for each value of an image, or one that `sharedAxes` share. */
export const parametricRelu: LayerRule = {
  weights: { alpha: { channels: -1 } },
  follow({ node, inputs, lay }) {
    const shared = axesOf((node.layer.getConfig().sharedAxes ?? []) as number[], node);
    if (!shared.some((axis) => isChannelAxis(axis, node))) lay('channels', inputs[0]!);
    return inputs[0]!;
  },
};

/** embedding [tokens, channels] */
export const positionEmbedding: LayerRule = {
  weights: { embedding: { channels: -1 } },
  follow({ inputs, lay }) {
    lay('channels', inputs[0]!);
    return inputs[0]!;
  },
};
