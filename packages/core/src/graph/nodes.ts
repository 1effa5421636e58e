import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';

/** One layer at its place in the network. */
export interface LayerNode {
  readonly name: string;
  readonly className: string;
  readonly layer: Layer;
  /** Nodes whose outputs this layer reads, in argument order. */
  readonly inputs: readonly LayerNode[];
  /** [batch (null), ...]; NHWC for images. */
  readonly outputShape: readonly (number | null)[];
}

interface Edge {
  readonly inboundLayers: readonly Layer[];
  readonly outputTensors: readonly SymbolicTensor[];
}

/**
 * Lists a model's layers in the order in which they compute (every layer after its inputs).
 *
 * @throws Error when a layer is used more than once, or the model has several inputs or outputs.
 */
export function readNodes(model: LayersModel): LayerNode[] {
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new Error(
      `Expected a model with one input and one output, but '${model.name}' has ${model.inputs.length} and ${model.outputs.length}.`,
    );
  }
  const nodes = new Map<string, LayerNode>();
  const visit = (layer: Layer): LayerNode => {
    const known = nodes.get(layer.name);
    if (known) return known;
    const edges = (layer as unknown as { inboundNodes: Edge[] }).inboundNodes;
    if (edges.length !== 1) {
      throw new Error(
        `Layer '${layer.name}' (${layer.getClassName()}) is applied ${edges.length} times; layers that are shared between places are not supported. Give each place its own layer.`,
      );
    }
    const edge = edges[0]!;
    const node: LayerNode = {
      name: layer.name,
      className: layer.getClassName(),
      layer,
      inputs: edge.inboundLayers.map(visit),
      outputShape: edge.outputTensors[0]!.shape,
    };
    nodes.set(layer.name, node);
    return node;
  };
  visit(model.outputs[0]!.sourceLayer);
  return [...nodes.values()];
}
