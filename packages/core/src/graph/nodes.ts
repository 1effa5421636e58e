import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Layer, Node } from '@tensorflow/tfjs-layers/dist/engine/topology.js';

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

/**
 * Lists a model's layers in the order in which they compute (every layer after its inputs); the last one is the output.
 *
 * @throws Error when a layer is used more than once in the model, or the model has several inputs or outputs.
 */
export function readNodes(model: LayersModel): LayerNode[] {
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new Error(
      `Expected a model with one input and one output, but '${model.name}' has ${model.inputs.length} and ${model.outputs.length}.`,
    );
  }
  const nodes = new Map<string, { readonly node: LayerNode; readonly application: Node }>();
  const visit = (tensor: SymbolicTensor): LayerNode => {
    const layer = tensor.sourceLayer;
    // A layer can also have been applied outside this model; the tensor knows which application made it.
    const application = layer.inboundNodes[tensor.nodeIndex]!;
    const known = nodes.get(layer.name);
    if (known?.application === application) return known.node;
    if (known) {
      throw new Error(
        `Layer '${layer.name}' (${layer.getClassName()}) is applied more than once in model '${model.name}'; layers that are shared between places are not supported. Give each place its own layer.`,
      );
    }
    const node: LayerNode = {
      name: layer.name,
      className: layer.getClassName(),
      layer,
      // An input layer lists its own output among its input tensors, but no inbound layer.
      inputs: application.inboundLayers.map((_, index) => visit(application.inputTensors[index]!)),
      outputShape: tensor.shape,
    };
    nodes.set(layer.name, { node, application });
    return node;
  };
  visit(model.outputs[0]!);
  return [...nodes.values()].map(({ node }) => node);
}
