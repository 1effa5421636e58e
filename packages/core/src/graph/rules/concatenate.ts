import { axesOf, isChannelAxis, type LayerRule } from '../layer-rule.ts';

/** Along the channel axis, one input's channels after the other's; along others, the inputs must keep the same channels. */
export const concatenate: LayerRule = {
  follow({ node, inputs, couple }) {
    const [axis] = axesOf(node.layer.getConfig().axis as number, node);
    if (isChannelAxis(axis!, node)) return inputs.flat();
    couple(inputs, `feeds the concatenation '${node.name}'`);
    return inputs[0]!;
  },
};
