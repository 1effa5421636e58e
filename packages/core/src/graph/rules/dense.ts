import { type Filters, type LayerRule, softmaxOf, sumOfProducts } from '../layer-rule.ts';

const filters: Filters = { kind: 'dense', axis: 'units', count: (layer) => layer.getConfig().units as number };

/** Kernel [inputs, units]; on inputs of higher rank it applies along the last axis. */
export const dense: LayerRule = {
  filters,
  weights: { kernel: { inputs: -2, units: -1 }, bias: { units: -1 } },
  filtersStay: softmaxOf,
  follow({ node, inputs, lay, make }) {
    lay('inputs', inputs[0]!);
    return make('units', filters.count(node.layer));
  },
  resize: ({ units }) => ({ units }),
  cost: (node) => sumOfProducts(node, node.layer.weights[0]!.shape[0]!),
};
