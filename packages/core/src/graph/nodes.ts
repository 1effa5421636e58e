import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Layer, Node } from '@tensorflow/tfjs-layers/dist/engine/topology.js';

/** [batch (null), ...]; NHWC for images. */
export type Shape = readonly (number | null)[];

/** One application of a layer. A layer that is used in several places has several. */
export interface LayerNode {
  /** The layer's name. */
  readonly name: string;
  readonly className: string;
  readonly layer: Layer;
  /** Nodes whose outputs this one reads, in argument order. */
  readonly inputs: readonly LayerNode[];
  readonly inputShapes: readonly Shape[];
  /** Of the first output, for a layer that has several. */
  readonly outputShape: Shape;
  /** Number of tensors that it puts out. */
  readonly outputs: number;
}

/** A model with the layers of nested models in their places. */
export interface Network {
  /** Every layer after its inputs. The input layers of nested models are there too; they pass on what they read. */
  readonly nodes: readonly LayerNode[];
  /** Nodes whose outputs are the model's, in its order. */
  readonly outputs: readonly LayerNode[];
}

/**
 * Lists a model's layers in the order in which they compute.
 *
 * @throws Error when two layers with weights have the same name.
 */
export function readNetwork(model: LayersModel): Network {
  const nodes: LayerNode[] = [];
  const outputs = readOutputs(model, nodes, () => undefined);
  refuseEqualNames(nodes, model.name);
  return { nodes, outputs };
}

/**
 * The nodes of a model with one input and one output: the first is the input, the last the output.
 *
 * @throws Error when the model has several inputs or outputs, a layer has several outputs, or two layers with weights have the same name.
 */
export function readNodes(model: LayersModel): readonly LayerNode[] {
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw new Error(
      `Expected a model with one input and one output, but '${model.name}' has ${model.inputs.length} and ${model.outputs.length}. Such models can be pruned with a plan, but not trained or scored.`,
    );
  }
  const { nodes } = readNetwork(model);
  const split = nodes.find((node) => node.outputs > 1);
  if (split) {
    throw new Error(
      `Expected layers with one output, but '${split.name}' (${split.className}) has ${split.outputs}. A model with such layers can be pruned with a plan, but not trained or scored.`,
    );
  }
  return nodes;
}

/** A model, or a layer that is one. */
export type Container = Layer & Pick<LayersModel, 'inputs' | 'outputs' | 'layers'>;

export function isContainer(layer: Layer): layer is Container {
  return 'inputs' in layer && 'outputs' in layer && 'layers' in layer;
}

/** A node, and the shape of the one of its outputs that is meant. */
interface Source {
  readonly node: LayerNode;
  readonly shape: Shape;
}

type Feed = (tensor: SymbolicTensor) => Source | undefined;

/**
 * Adds what computes the container's outputs to `nodes`.
 *
 * @param feed What the container's input tensors are outside of it; undefined for the outermost model.
 */
function readOutputs(container: Pick<LayersModel, 'outputs'>, nodes: LayerNode[], feed: Feed): LayerNode[] {
  return readTensors(container.outputs, nodes, feed).map(({ node }) => node);
}

function readTensors(tensors: readonly SymbolicTensor[], nodes: LayerNode[], feed: Feed): Source[] {
  const known = new Map<Node, readonly Source[]>();
  const visit = (tensor: SymbolicTensor): Source => {
    // A layer can also have been applied outside this model; the tensor knows which application made it.
    const application = tensor.sourceLayer.inboundNodes[tensor.nodeIndex]!;
    let outputs = known.get(application);
    if (!outputs) {
      outputs = apply(application, tensor, visit);
      known.set(application, outputs);
    }
    return outputs[tensor.tensorIndex]!;
  };
  const apply = (application: Node, tensor: SymbolicTensor, visit: (tensor: SymbolicTensor) => Source): Source[] => {
    const layer = tensor.sourceLayer;
    // An input layer lists its own output among its input tensors, but no inbound layer.
    const sources = application.inboundLayers.map((_, index) => visit(application.inputTensors[index]!));
    if (isContainer(layer) && sources.length > 0) {
      return readTensors(layer.outputs, nodes, (inner) => sources[layer.inputs.indexOf(inner)]);
    }
    const fed = feed(tensor);
    const inputs = fed ? [fed] : sources;
    const inputShapes = inputs.map((source) => source.shape);
    const shapes = application.outputTensors.map(({ shape }, index) =>
      fed ? fed.shape : fixedShape(shape, () => shapesFrom(layer, inputShapes)[index]),
    );
    const node: LayerNode = {
      name: layer.name,
      className: layer.getClassName(),
      layer,
      inputs: inputs.map((source) => source.node),
      inputShapes,
      outputShape: shapes[0]!,
      outputs: shapes.length,
    };
    nodes.push(node);
    return shapes.map((shape) => ({ node, shape }));
  };
  return tensors.map(visit);
}

/** A nested model may be built for any size, and be applied to one that is fixed. */
function fixedShape(built: Shape, applied: () => Shape | undefined): Shape {
  return built.slice(1).includes(null) ? (applied() ?? built) : built;
}

function shapesFrom(layer: Layer, inputShapes: readonly Shape[]): Shape[] {
  if (inputShapes.length === 0) return [];
  const shapes = inputShapes.map((shape) => [...shape]);
  const computed = layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes) as Shape | Shape[];
  return (Array.isArray(computed[0]) ? computed : [computed]) as Shape[];
}

/** Plans and stored weights call layers by their names. */
function refuseEqualNames(nodes: readonly LayerNode[], model: string): void {
  const layers = new Map<string, Layer>();
  for (const { name, layer } of nodes) {
    if (layer.weights.length === 0) continue;
    const other = layers.get(name);
    if (other && other !== layer) {
      throw new Error(
        `Expected the layers of '${model}' and of the models nested in it to have different names, but two are named '${name}'. Rename one of them.`,
      );
    }
    layers.set(name, layer);
  }
}
