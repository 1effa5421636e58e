import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import { type KeptPositions, keptChannels } from './kept-channels.ts';
import type { PruningPlan } from './pruning-plan.ts';

/**
 * Cuts a tensor that has the shape of one of the network's weights (the weight itself, its velocity in an optimiser, ...)
 * to what the plan leaves of it.
 *
 * @param layer Layer name.
 * @param weight Index into the layer's `weights`, which starts with its `trainableWeights`.
 * @returns A new tensor, even when nothing is cut.
 */
export type WeightSlicer = (layer: string, weight: number, tensor: tf.Tensor) => tf.Tensor;

/**
 * @throws Error when the plan does not fit the graph (see `validatePlan`); the slicer throws when the layer or weight does
 * not exist, or the tensor has another shape than the weight.
 */
export function weightSlicer(graph: ChannelGraph, plan: PruningPlan): WeightSlicer {
  const kept = keptChannels(graph, plan);
  const layers = new Map(
    graph.nodes.flatMap(({ name, layer }) => (layer.weights.length > 0 ? [[name, layer] as const] : [])),
  );
  return (name, index, tensor) => {
    const layer = layers.get(name);
    const weight = layer?.weights[index];
    if (!layer || !weight) throw new Error(`The network has no weight ${index} in a layer named '${name}'.`);
    if (String(weight.shape) !== String(tensor.shape)) {
      throw new Error(
        `Weight ${index} of layer '${name}' has shape [${weight.shape}], but the tensor to cut has [${tensor.shape}].`,
      );
    }
    return slice(tensor, cuts(layer, weight.originalName, kept.get(layer)));
  };
}

type Cut = { readonly axis: number; readonly positions: readonly number[] };

function cuts(layer: Layer, weight: string, kept: KeptPositions | undefined): Cut[] {
  if (!kept) return [];
  const weights = ruleOf(layer.getClassName())?.weights ?? {};
  const axes = Object.entries(weights).find(([name]) => weight.endsWith(`/${name}`))?.[1] ?? {};
  return Object.entries(axes).flatMap(([name, axis]) => {
    const positions = kept.get(name);
    return positions ? [{ axis, positions }] : [];
  });
}

function slice(tensor: tf.Tensor, cuts: readonly Cut[]): tf.Tensor {
  return tf.tidy(() =>
    cuts.reduce(
      (rest, { axis, positions }) =>
        positions.length === rest.shape.at(axis)
          ? rest
          : tf.gather(rest, tf.tensor1d([...positions], 'int32'), rest.rank + axis),
      tf.clone(tensor),
    ),
  );
}
