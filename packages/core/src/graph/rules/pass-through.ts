import { channelsFirst, outputSize, type PassRule } from '../layer-rule.ts';

/** Layers without channels of their own and without weights: inputs, dropout, noise, element-wise functions. */
export const unchanged: PassRule = { flow: 'pass' };

/** Layers that work on height and width: pooling, padding, cropping, resizing. */
export const spatial: PassRule = { flow: 'pass', obstacle: channelsFirst };

export const maxPooling: PassRule = {
  ...spatial,
  cost: (node) => {
    const [height, width] = node.layer.getConfig().poolSize as [number, number];
    return { macs: 0, authorsFlops: height * width * outputSize(node) };
  },
};
