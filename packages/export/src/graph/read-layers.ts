import type { LayerNode, Network } from '@secateur/core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';

type Layer = SymbolicTensor['sourceLayer'];
type Application = Layer['inboundNodes'][number];
type Container = Pick<LayersModel, 'inputs' | 'outputs'>;
type Shape = LayerNode['outputShape'];

/**
 * Lists a model's layers in the order in which they compute, once for each place, with the layers of nested models where those stand.
 * Input layers of nested models are left out: who reads them reads what the nested model was applied to.
 */
export function readLayers(model: LayersModel): Network {
  const nodes: LayerNode[] = [];
  return { nodes, outputs: unroll(model, nodes) };
}

/** Adds what computes the outputs to `nodes`. `fed` are the inputs of a nested model. */
function unroll({ inputs, outputs }: Container, nodes: LayerNode[], fed?: readonly LayerNode[]): LayerNode[] {
  const made = new Map<Application, readonly LayerNode[]>();
  const nodeOf = (tensor: SymbolicTensor): LayerNode => {
    const given = fed?.[inputs.indexOf(tensor)];
    if (given) return given;
    const layer = tensor.sourceLayer;
    // The layer may stand in other places and other models too; the tensor knows which application made it.
    const application = layer.inboundNodes[tensor.nodeIndex]!;
    let results = made.get(application);
    if (!results) {
      // An input layer counts its own output among its input tensors, but has no inbound layer.
      const sources = application.inboundLayers.map((_, i) => nodeOf(application.inputTensors[i]!));
      results = isModel(layer) ? unroll(layer, nodes, sources) : apply(layer, application, sources);
      made.set(application, results);
    }
    return results[tensor.tensorIndex]!;
  };
  const apply = (layer: Layer, { outputTensors }: Application, sources: readonly LayerNode[]): LayerNode[] => {
    const inputShapes = sources.map(({ outputShape }) => outputShape);
    const node: LayerNode = {
      name: layer.name,
      className: layer.getClassName(),
      layer,
      inputs: sources,
      inputShapes,
      outputShape: fixedShape(layer, outputTensors[0]!.shape, inputShapes),
      outputs: outputTensors.length,
    };
    nodes.push(node);
    return outputTensors.map(() => node);
  };
  return outputs.map(nodeOf);
}

function isModel(layer: Layer): layer is Layer & Container {
  return 'inputs' in layer && 'outputs' in layer && 'layers' in layer;
}

/** A nested model that was built for any size may be applied to one that is fixed. */
function fixedShape(layer: Layer, built: Shape, inputShapes: readonly Shape[]): Shape {
  if (inputShapes.length === 0 || !built.slice(1).includes(null)) return built;
  const shapes = inputShapes.map((shape) => [...shape]);
  const computed = layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes);
  return (Array.isArray(computed[0]) ? computed[0] : computed) as Shape;
}
