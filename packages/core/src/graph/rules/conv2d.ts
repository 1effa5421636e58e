import {
  activationFlops,
  channelsFirst,
  type LayerCost,
  outputSize,
  type ProducerRule,
  softmaxOf,
} from '../layer-rule.ts';
import type { LayerNode } from '../nodes.ts';

/** Kernel [height, width, inputs, filters]. */
export const conv2d: ProducerRule = {
  flow: 'produce',
  kind: 'conv',
  sizeField: 'filters',
  weights: { kernel: { inputs: 2, outputs: 3 }, bias: { outputs: 0 } },
  obstacle: channelsFirst,
  filtersStay: (node) => channelsFirst(node) ?? softmaxOf(node),
  cost,
};

function cost(node: LayerNode): LayerCost {
  const [height, width, inputs] = node.layer.weights[0]!.shape as [number, number, number];
  const perOutput = height * width * inputs;
  const outputs = outputSize(node);
  const bias = node.layer.weights.length > 1 ? 1 : 0;
  return {
    macs: perOutput * outputs,
    authorsFlops: (2 * perOutput + bias) * outputs + activationFlops(node),
  };
}
