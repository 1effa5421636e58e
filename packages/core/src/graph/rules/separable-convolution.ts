import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
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
    lay('between', repeatEach(inputs[0]!, depthMultiplier(node.layer)));
    return make('filters', convolutionFilters.count(node.layer));
  },
  // tfjs-layers leaves the multiplier out of this layer's config, and takes 1 when it reads the config again.
  resize: ({ filters }, layer) => ({ filters, depthMultiplier: depthMultiplier(layer) }),
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

function depthMultiplier(layer: Layer): number {
  return layer.weights[0]!.shape.at(-1)!;
}
