import type { LayerNode } from '@secateur/core';
import type { OnnxGraph } from '../graph/onnx-graph.ts';
import type { LayerContext, Value } from './converter.ts';
import { converters } from './table.ts';

/**
 * Writes every layer behind the model's input into the graph; the graph's output becomes the last layer's, features in
 * TensorFlow's order.
 *
 * @param nodes in the order in which they compute; the first is the model's input.
 * @throws Error that lists every layer which has no ONNX form.
 */
export async function writeLayers(graph: OnnxGraph, nodes: readonly LayerNode[]): Promise<void> {
  const [input, ...layers] = nodes as readonly [LayerNode, ...LayerNode[]];
  refuseUnsupported(layers);
  const values = new Map<LayerNode, Value>([[input, { name: graph.output, shape: onnxShape(input) }]]);
  for (const node of layers) {
    const converter = converters.get(node.className)!;
    const read = node.inputs.map((source) => values.get(source)!);
    const inputs = converter.takesAnyFeatureOrder ? read : read.map((value) => inTensorFlowOrder(graph, value));
    const output = await converter.convert(contextOf(graph, node, inputs as [Value, ...Value[]]));
    values.set(node, { ...(typeof output === 'string' ? { name: output } : output), shape: onnxShape(node) });
  }
  graph.output = inTensorFlowOrder(graph, values.get(nodes.at(-1)!)!).name;
}

/** [channels, height, width] or [features], without the batch. */
export function onnxShape({ outputShape }: LayerNode): number[] {
  const shape = outputShape.slice(1) as number[];
  return shape.length === 3 ? [shape[2]!, shape[0]!, shape[1]!] : shape;
}

function refuseUnsupported(layers: readonly LayerNode[]): void {
  const refused = layers.flatMap((node) => {
    const converter = converters.get(node.className);
    const reason = converter ? converter.refuse?.(node) : 'no ONNX form is known for this class';
    return reason === undefined ? [] : [`  - ${node.name} (${node.className}): ${reason}`];
  });
  if (refused.length === 0) return;
  throw new Error(
    [
      `${refused.length} of ${layers.length} layers cannot be written to ONNX:`,
      ...refused,
      'Replace them, or export a model that ends before them.',
      `Supported: ${[...converters.keys()].sort().join(', ')}.`,
    ].join('\n'),
  );
}

function inTensorFlowOrder(graph: OnnxGraph, value: Value): Value {
  const { name, shape, featureOrder } = value;
  if (!featureOrder) return value;
  const positions = new BigInt64Array(featureOrder.length);
  featureOrder.forEach((feature, i) => {
    positions[feature] = BigInt(i);
  });
  const indices = graph.addInitializer(`${name}/channels_last`, positions, [positions.length]);
  return { name: graph.addNode(`${name}/reorder`, 'Gather', [name, indices], { axis: { int: 1 } }), shape };
}

function contextOf(graph: OnnxGraph, node: LayerNode, inputs: readonly [Value, ...Value[]]): LayerContext {
  return {
    node,
    inputs,
    outputShape: onnxShape(node),
    async weight(name) {
      const variable = node.layer.weights.find(({ originalName }) => originalName.split('/').at(-1) === name);
      if (!variable) throw new Error(`Layer '${node.name}' (${node.className}) has no weight '${name}'.`);
      return (await variable.read().data()) as Float32Array;
    },
    constant: (name, data, dims) => graph.addInitializer(`${node.name}/${name}`, data, dims),
    op: (opType, operands, { attributes, part = '' } = {}) =>
      graph.addNode(part === '' ? node.name : `${node.name}/${part}`, opType, operands, attributes),
  };
}
