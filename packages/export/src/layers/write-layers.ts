import type { LayerNode, Network } from '@secateur/core';
import type { OnnxGraph } from '../graph/onnx-graph.ts';
import { Arranger } from './arranger.ts';
import type { LayerContext, OpOptions, Value } from './converter.ts';
import { usualLayout } from './layout.ts';
import { converters } from './table.ts';

/**
 * Writes every layer of a network into the graph.
 *
 * @param inputs the values that the network's input layers stand for.
 * @returns one value for each output: features in TensorFlow's order, maps channels first.
 * @throws Error that lists every layer which has no ONNX form.
 */
export async function writeLayers(
  graph: OnnxGraph,
  network: Network,
  inputs: ReadonlyMap<LayerNode, Value>,
): Promise<Value[]> {
  const layers = network.nodes.filter((node) => !inputs.has(node));
  refuseUnsupported(layers);
  const arranger = new Arranger(graph);
  const values = new Map(inputs);
  for (const node of layers) {
    const { reads = 'channelsFirst', convert } = converters.get(node.className)!;
    const sources = node.inputs.map((source) => values.get(source)!);
    const prepared = arranger.prepare(sources, typeof reads === 'function' ? reads(node) : reads);
    const context = contextOf(graph, node, { inputs: prepared as [Value, ...Value[]], arranger });
    const output = await convert(context);
    const { name, layout = prepared[0]!.layout, featureOrder } = typeof output === 'string' ? { name: output } : output;
    const shape = shapeOf(node);
    values.set(node, { name, shape, layout: shape.length === 1 ? usualLayout(1) : layout, featureOrder });
  }
  return network.outputs.map((node) => arranger.lay(values.get(node)!, 'channelsFirst'));
}

/** Without the batch. */
export function shapeOf({ outputShape }: LayerNode): number[] {
  return outputShape.slice(1) as number[];
}

function refuseUnsupported(layers: readonly LayerNode[]): void {
  const refused = layers.flatMap((node) => {
    const reason = reasonToRefuse(node);
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

function reasonToRefuse(node: LayerNode): string | undefined {
  const converter = converters.get(node.className);
  if (!converter) return 'no ONNX form is known for this class';
  if (node.outputs > 1) return `${node.outputs} outputs; only layers with one are supported`;
  if (node.outputShape.slice(1).some((size) => size === null)) {
    return `output of shape [${node.outputShape.map(String)}]; every size but the batch must be fixed`;
  }
  return converter.refuse?.(node);
}

function contextOf(
  graph: OnnxGraph,
  node: LayerNode,
  { inputs, arranger }: { inputs: readonly [Value, ...Value[]]; arranger: Arranger },
): LayerContext {
  const constant: LayerContext['constant'] = (name, data, dims) =>
    graph.addInitializer(`${node.name}/${name}`, data, dims);
  const integers: LayerContext['integers'] = (name, values) =>
    constant(name, BigInt64Array.from(values, BigInt), [values.length]);
  const op = (opType: string, operands: readonly string[], { attributes, part = '' }: OpOptions = {}) =>
    graph.addNode(part === '' ? node.name : `${node.name}/${part}`, opType, operands, attributes);
  return {
    node,
    inputs,
    outputShape: shapeOf(node),
    async weight(name) {
      const variable = node.layer.weights.find(({ originalName }) => originalName.endsWith(`/${name}`));
      if (!variable) throw new Error(`Layer '${node.name}' (${node.className}) has no weight '${name}'.`);
      return (await variable.read().data()) as Float32Array;
    },
    constant,
    integers,
    op,
    reduce(opType, input, axes, part) {
      // Since version 18 of the operator set the axes are an operand.
      return graph.opset < 18
        ? op(opType, [input], { attributes: { axes: { ints: axes } }, part })
        : op(opType, [input, integers(part === '' ? 'reduced_axes' : `${part}/axes`, axes)], { part });
    },
    lay: (value, layout) => arranger.lay(value, layout),
  };
}
