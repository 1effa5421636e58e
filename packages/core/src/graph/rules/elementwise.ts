import { activationFlops, axesOf, isChannelAxis, type LayerRule, outputSize, softmaxOf } from '../layer-rule.ts';

/** Layers without weights that work on each value by itself: dropout, noise, most activations. */
export const elementwise: LayerRule = { follow: ({ inputs }) => inputs[0]! };

/** An activation layer whose function is named in its config. */
export const activation: LayerRule = {
  ...elementwise,
  obstacle: softmaxOf,
  cost: (node) => ({ macs: 0, authorsFlops: activationFlops(node) }),
};

export const relu: LayerRule = {
  ...elementwise,
  cost: (node) => ({ macs: 0, authorsFlops: outputSize(node) }),
};

export const softmax: LayerRule = {
  ...elementwise,
  obstacle: (node) =>
    axesOf(node.layer.getConfig().axis as number | number[], node).some((axis) => isChannelAxis(axis, node))
      ? 'applies softmax across its channels'
      : undefined,
};
