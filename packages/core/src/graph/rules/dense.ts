import { activationFlops, type LayerCost, outputSize, type ProducerRule, softmaxOf } from '../layer-rule.ts';
import type { LayerNode } from '../nodes.ts';

/** Kernel [inputs, units]; on inputs of higher rank it applies along the last axis. */
export const dense: ProducerRule = {
  flow: 'produce',
  kind: 'dense',
  sizeField: 'units',
  weights: { kernel: { inputs: 0, outputs: 1 }, bias: { outputs: 0 } },
  filtersStay: softmaxOf,
  cost,
};

function cost(node: LayerNode): LayerCost {
  const [inputs] = node.layer.weights[0]!.shape as [number];
  const outputs = outputSize(node);
  const bias = node.layer.weights.length > 1 ? 1 : 0;
  return { macs: inputs * outputs, authorsFlops: (2 * inputs + bias) * outputs + activationFlops(node) };
}
