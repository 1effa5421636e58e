import {
  activationFlops,
  biasFlops,
  channelsFirst,
  type LayerRule,
  outputSize,
  product,
  repeatEach,
  softmaxOf,
} from '../layer-rule.ts';
import { convolutionFilters } from './convolution.ts';

/** Depthwise kernel [height, width, inputs, multiplier], then pointwise kernel [1, 1, inputs * multiplier, filters]. */
export const separableConvolution: LayerRule = {
  filters: convolutionFilters,
  weights: {
    depthwise_kernel: { inputs: -2 },
    pointwise_kernel: { between: -2, filters: -1 },
    bias: { filters: -1 },
  },
  obstacle: channelsFirst,
  filtersStay: softmaxOf,
  follow({ node, inputs, lay, make }) {
    lay('inputs', inputs[0]!);
    lay('between', repeatEach(inputs[0]!, node.layer.getConfig().depthMultiplier as number));
    return make('filters', convolutionFilters.count(node.layer));
  },
  resize: ({ filters }) => ({ filters }),
  cost: (node) => {
    const [depthwise, pointwise] = node.layer.weights.map(({ shape }) => product(shape as number[])) as [
      number,
      number,
    ];
    const positions = outputSize(node) / convolutionFilters.count(node.layer);
    const macs = (depthwise + pointwise) * positions;
    return { macs, authorsFlops: 2 * macs + biasFlops(node) + activationFlops(node) };
  },
};
