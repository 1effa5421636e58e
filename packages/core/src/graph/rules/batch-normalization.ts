import { type LayerCost, outputSize, type PassRule } from '../layer-rule.ts';
import type { LayerNode } from '../nodes.ts';

export const batchNormalization: PassRule = {
  flow: 'pass',
  weights: {
    gamma: { outputs: 0 },
    beta: { outputs: 0 },
    moving_mean: { outputs: 0 },
    moving_variance: { outputs: 0 },
  },
  obstacle: (node) => {
    const axis = node.layer.getConfig().axis as number;
    return axis === -1 || axis === node.outputShape.length - 1 ? undefined : `normalises along axis ${axis}`;
  },
  cost,
};

/** The authors count image maps only. */
function cost(node: LayerNode): LayerCost {
  return { macs: 0, authorsFlops: node.outputShape.length === 4 ? 2 * outputSize(node) : 0 };
}
