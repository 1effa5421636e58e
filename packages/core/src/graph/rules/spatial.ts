import { channelsFirst, type LayerRule, outputSize, product } from '../layer-rule.ts';

/** Layers without weights that work on height and width: pooling, padding, cropping, resizing, repetition. */
export const spatial: LayerRule = { obstacle: channelsFirst, follow: ({ inputs }) => inputs[0]! };

export const maxPooling2d: LayerRule = {
  ...spatial,
  cost: (node) => ({
    macs: 0,
    authorsFlops: product(node.layer.getConfig().poolSize as number[]) * outputSize(node),
  }),
};
