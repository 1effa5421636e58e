import * as tf from '@tensorflow/tfjs-core';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import type { LayerNode } from '../graph/nodes.ts';
import { type KeptChannels, keptChannels } from './kept-channels.ts';
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
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  return (layer, weight, tensor) => {
    const node = nodes.get(layer);
    const variable = node?.layer.weights[weight];
    if (!node || !variable) throw new Error(`The network has no weight ${weight} in a layer named '${layer}'.`);
    if (String(variable.shape) !== String(tensor.shape)) {
      throw new Error(
        `Weight ${weight} of layer '${layer}' has shape [${variable.shape}], but the tensor to cut has [${tensor.shape}].`,
      );
    }
    return slice(tensor, cuts(node, variable.originalName, kept.get(layer)!));
  };
}

type Cut = { readonly axis: number; readonly indices: readonly number[] };

function cuts(node: LayerNode, weightName: string, { inputs, outputs }: KeptChannels): Cut[] {
  const axes = ruleOf(node.className)?.weights?.[weightName.split('/').at(-1)!];
  return [
    ...(inputs && axes?.inputs !== undefined ? [{ axis: axes.inputs, indices: inputs }] : []),
    ...(outputs && axes?.outputs !== undefined ? [{ axis: axes.outputs, indices: outputs }] : []),
  ];
}

function slice(tensor: tf.Tensor, cuts: readonly Cut[]): tf.Tensor {
  return tf.tidy(() =>
    cuts.reduce(
      (rest, { axis, indices }) => tf.gather(rest, tf.tensor1d([...indices], 'int32'), axis),
      tf.clone(tensor),
    ),
  );
}
