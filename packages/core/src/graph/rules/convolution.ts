import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import {
  activationFlops,
  biasFlops,
  channelsFirst,
  type Filters,
  inputSize,
  type LayerRule,
  product,
  softmaxOf,
  sumOfProducts,
} from '../layer-rule.ts';

export const convolutionFilters: Filters = {
  kind: 'conv',
  axis: 'filters',
  count: (layer) => layer.getConfig().filters as number,
};

/** In one, two or three dimensions; kernel [..., inputs, filters]. */
export const convolution: LayerRule = {
  filters: convolutionFilters,
  weights: { kernel: { inputs: -2, filters: -1 }, bias: { filters: -1 } },
  obstacle: channelsFirst,
  filtersStay: softmaxOf,
  follow({ node, inputs, lay, make }) {
    lay('inputs', inputs[0]!);
    return make('filters', convolutionFilters.count(node.layer));
  },
  resize: ({ filters }) => ({ filters }),
  cost: (node) => sumOfProducts(node, product(kernelShape(node.layer).slice(0, -1))),
};

/** Kernel [..., filters, inputs]: every input is spread over as many outputs as the kernel has entries for it. */
export const transposedConvolution: LayerRule = {
  ...convolution,
  weights: { kernel: { filters: -2, inputs: -1 }, bias: { filters: -1 } },
  cost: (node) => {
    const macs = inputSize(node) * product(kernelShape(node.layer).slice(0, -1));
    return { macs, authorsFlops: 2 * macs + biasFlops(node) + activationFlops(node) };
  },
};

function kernelShape(layer: Layer): readonly number[] {
  return layer.weights[0]!.shape as number[];
}
