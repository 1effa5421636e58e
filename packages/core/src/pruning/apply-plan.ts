import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import { ALL_REMOVABLE, type ChannelGraph, readGraph } from '../graph/channel-graph.ts';
import { isContainer } from '../graph/nodes.ts';
import { completeConfigs } from '../layers/depth-multiplier.ts';
import type { PruningPlan } from './pruning-plan.ts';
import { resizeLayers } from './resize-layers.ts';
import { weightSlicer } from './weight-slicer.ts';

export interface ApplyPlanOptions {
  /** The graph of this model that the plan was made with; read anew when absent. */
  readonly graph?: ChannelGraph;
}

/**
 * Makes the smaller network that a plan describes: an ordinary LayersModel with the same layer names, without masks, whose
 * kernels, biases, batch-norm vectors and consumers' input slices have shrunk. What a removed channel passed on is lost,
 * also where it was a constant. Nested models stay nested, and layers keep their `trainable`.
 *
 * The given model is left as it is, and the caller goes on owning it. The new model is not compiled.
 *
 * @throws Error when the plan does not fit the model (see `validatePlan`), or TensorFlow.js could not store the model
 * because two of its weights have the same name.
 */
export async function applyPlan(
  model: LayersModel,
  plan: PruningPlan,
  { graph = readGraph(model, ALL_REMOVABLE) }: ApplyPlanOptions = {},
): Promise<LayersModel> {
  const topology = resizeLayers(model, graph, plan);
  const weights = sliceWeights(model, graph, plan);
  let pruned: LayersModel;
  try {
    const { data, specs } = await tf.io.encodeWeights(weights);
    const metadata = model.getUserDefinedMetadata();
    pruned = await loadLayersModel(
      tf.io.fromMemory({
        modelTopology: topology,
        weightSpecs: specs,
        weightData: data,
        ...(metadata && { userDefinedMetadata: metadata }),
      }),
    );
  } finally {
    tf.dispose(weights.map(({ tensor }) => tensor));
  }
  copyTrainable(model, pruned);
  completeConfigs(pruned);
  return pruned;
}

function sliceWeights(model: LayersModel, graph: ChannelGraph, plan: PruningPlan) {
  const slicer = weightSlicer(graph, plan);
  const layers = listLayers(model);
  refuseEqualNames(layers, model.name);
  return tf.tidy(() =>
    layers.flatMap((layer) =>
      layer.weights.map((weight, index) => ({
        name: weight.originalName,
        tensor: slicer(layer.name, index, weight.read()),
      })),
    ),
  );
}

/** The layers of a model, with those of nested models in place of them. */
function listLayers(model: Pick<LayersModel, 'layers'>): Layer[] {
  return model.layers.flatMap((layer: Layer) => (isContainer(layer) ? listLayers(layer) : [layer]));
}

function refuseEqualNames(layers: readonly Layer[], model: string): void {
  const names = new Set<string>();
  for (const { originalName } of layers.flatMap((layer) => layer.weights)) {
    if (names.has(originalName)) {
      throw new Error(
        `Expected the weights of '${model}' to have different names, but two are named '${originalName}', and TensorFlow.js cannot store them. ` +
          'Give each layer a name of its own, and use a layer either in the model or in a model nested in it.',
      );
    }
    names.add(originalName);
  }
}

/** A config says whether a layer is trainable, but not whether a nested model or a single weight is. */
function copyTrainable(from: Pick<LayersModel, 'layers'>, to: Pick<LayersModel, 'layers'>): void {
  from.layers.forEach((layer: Layer, index) => {
    const copy = to.layers[index]! as Layer;
    if (copy.trainable !== layer.trainable) copy.trainable = layer.trainable;
    if (isContainer(layer)) {
      copyTrainable(layer, copy as typeof layer);
    } else {
      layer.weights.forEach((weight, position) => {
        copy.weights[position]!.trainable = weight.trainable;
      });
    }
  });
}
