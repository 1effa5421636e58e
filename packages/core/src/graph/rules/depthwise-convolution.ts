import { channelsFirst, type LayerRule, product, repeatEach, softmaxOf, sumOfProducts } from '../layer-rule.ts';

/** Kernel [height, width, inputs, multiplier]; each channel gives as many outputs, one after the other. */
export const depthwiseConvolution: LayerRule = {
  weights: { depthwise_kernel: { inputs: -2 }, bias: { outputs: -1 } },
  obstacle: (node) => channelsFirst(node) ?? softmaxOf(node),
  follow({ node, inputs, lay }) {
    const outputs = repeatEach(inputs[0]!, node.layer.getConfig().depthMultiplier as number);
    lay('inputs', inputs[0]!);
    lay('outputs', outputs);
    return outputs;
  },
  cost: (node) => sumOfProducts(node, product((node.layer.weights[0]!.shape as number[]).slice(0, 2))),
};
