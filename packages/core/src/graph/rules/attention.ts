import type { SelfAttention } from '../../layers/self-attention.ts';
import { type Filters, type LayerRule, outputSize, product, repeatEach } from '../layer-rule.ts';

const heads: Filters = {
  kind: 'attention',
  axis: 'heads',
  count: (layer) => (layer as SelfAttention).heads,
  channelsInside: (layer) => (layer as SelfAttention).headSize,
};

/** Heads begin and end inside the layer: the projections have headSize columns for each, the output projection as many rows. */
export const attention: LayerRule = {
  filters: heads,
  weights: {
    'query/kernel': { inputs: -2, columns: -1 },
    'query/bias': { columns: -1 },
    'key/kernel': { inputs: -2, columns: -1 },
    'key/bias': { columns: -1 },
    'value/kernel': { inputs: -2, columns: -1 },
    'value/bias': { columns: -1 },
    'output/kernel': { columns: -2, units: -1 },
    'output/bias': { units: -1 },
  },
  follow({ node, inputs, lay, make }) {
    const { headSize } = node.layer as SelfAttention;
    lay('inputs', inputs[0]!);
    lay('columns', repeatEach(make('heads', heads.count(node.layer)), headSize));
    return make('units', node.outputShape.at(-1)!);
  },
  // Without units in its config, the layer would take the number of its inputs.
  resize: ({ heads, units }) => ({ heads, units }),
  cost: (node) => {
    const { heads, headSize } = node.layer as SelfAttention;
    const kernels = node.layer.weights.map(({ shape }) => (shape.length === 2 ? product(shape as number[]) : 0));
    const tokens = outputSize(node) / node.outputShape.at(-1)!;
    const projections = tokens * kernels.reduce((sum, size) => sum + size, 0);
    const macs = projections + 2 * tokens * tokens * heads * headSize;
    return { macs, authorsFlops: 2 * macs + tokens * (3 * heads * headSize + node.outputShape.at(-1)!) };
  },
};
