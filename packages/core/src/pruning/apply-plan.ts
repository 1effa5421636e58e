import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { type ChannelGraph, readGraph } from '../graph/channel-graph.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import { keptChannels } from './kept-channels.ts';
import type { PruningPlan } from './pruning-plan.ts';
import { weightSlicer } from './weight-slicer.ts';

export interface ApplyPlanOptions {
  /** The graph that the plan was made with; read anew from the model when absent. */
  readonly graph?: ChannelGraph;
}

/**
 * Makes the smaller network that a plan describes: an ordinary LayersModel with the same layer names, without masks, whose
 * kernels, biases, batch-norm vectors and consumers' input slices have shrunk. What a removed channel passed on is lost,
 * also where it was a constant.
 *
 * The given model is left as it is, and the caller goes on owning it. The new model is not compiled.
 *
 * @throws Error when the plan does not fit the model (see `validatePlan`).
 */
export async function applyPlan(
  model: LayersModel,
  plan: PruningPlan,
  { graph = readGraph(model, { kinds: ['conv', 'dense'] }) }: ApplyPlanOptions = {},
): Promise<LayersModel> {
  const topology = resizeLayers(model.toJSON(null, false) as unknown as ModelJson, graph, plan);
  const weights = sliceWeights(model, graph, plan);
  try {
    const { data, specs } = await tf.io.encodeWeights(weights);
    const metadata = model.getUserDefinedMetadata();
    return await loadLayersModel(
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
}

/** The part of a model's JSON that surgery touches; functional and sequential models share it. */
interface ModelJson {
  readonly config: { readonly layers: readonly LayerJson[] };
}

interface LayerJson {
  readonly config: { readonly name: string };
}

function resizeLayers(json: ModelJson, graph: ChannelGraph, plan: PruningPlan): ModelJson {
  const kept = keptChannels(graph, plan);
  const sizes = new Map(
    graph.nodes.flatMap(({ name, className }) => {
      const rule = ruleOf(className);
      const outputs = kept.get(name)!.outputs;
      return rule?.flow === 'produce' && outputs ? [[name, { [rule.sizeField]: outputs.length }]] : [];
    }),
  );
  const layers = json.config.layers.map((layer) => ({
    ...layer,
    config: { ...layer.config, ...sizes.get(layer.config.name) },
  }));
  return { ...json, config: { ...json.config, layers } };
}

function sliceWeights(model: LayersModel, graph: ChannelGraph, plan: PruningPlan) {
  const slicer = weightSlicer(graph, plan);
  return tf.tidy(() =>
    model.layers.flatMap((layer) =>
      layer.weights.map((weight, index) => ({
        name: weight.originalName,
        tensor: slicer(layer.name, index, weight.read()),
      })),
    ),
  );
}
