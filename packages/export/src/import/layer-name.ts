import type { SourceGraph, SourceNode } from './source-graph.ts';

/** Exporters call weights after the layer that owns them: `features.0.weight`, `conv1/kernel`. */
const WEIGHT = /^(.+)[./](?:weight|kernel|gamma)$/;

/** What TensorFlow calls the operations of layers that have weights, or that it names otherwise than ONNX. */
const TENSORFLOW = new Set(['AvgPool', 'BiasAdd', 'Conv2D', 'depthwise', 'FusedBatchNormV3', 'Mean', 'Relu6']);

/** The layer's name in the network that was exported, as far as the file tells: of its weights, else of the node. */
export function layerName(node: SourceNode, graph: SourceGraph): string {
  const weight = node.inputs[1] ?? '';
  const [, owner] = (graph.isInitialiser(weight) && WEIGHT.exec(weight)) || [];
  // Node names end in the operator: '/layer1/layer1.0/conv1/Conv' in PyTorch, 'StatefulPartitionedCall/net/conv1/Conv2D' in TensorFlow.
  const path = node.name.replace(/^\/+/, '').replace(/^StatefulPartitionedCall\//, '');
  const end = path.lastIndexOf('/');
  const last = path.slice(end + 1).replace(/_+\d+$/, '');
  const isOperator = end > 0 && (last === node.opType || TENSORFLOW.has(last));
  return tidy(owner ?? (isOperator ? path.slice(0, end) : path)) || node.opType.toLowerCase();
}

/** Of characters that plans, patterns and files cope with, and at the beginning those that tfjs allows there. */
export function tidy(name: string): string {
  return name
    .replace(/[^\w./-]+/g, '_')
    .replace(/^[_/-]+/, '')
    .slice(0, 100);
}
