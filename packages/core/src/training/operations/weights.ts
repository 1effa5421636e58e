import type { Variable } from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { TrainableWeight } from '../operation.ts';

/** The variables behind a layer's weights, in the layer's own order. */
export function layerVariables(layer: Layer): Variable[] {
  return layer.weights.map((weight) => weight.read() as Variable);
}

export function trainableWeight(
  layer: Layer,
  index: number,
  role: TrainableWeight['role'] = 'other',
): TrainableWeight[] {
  const weight = layer.weights[index];
  if (!weight?.trainable || !layer.trainable) return [];
  return [{ key: `${layer.name}/${index}`, variable: weight.read() as Variable, role }];
}

/** Where the weight of that key is; layer names may hold slashes. */
export function placeOfKey(key: string): { readonly layer: string; readonly index: number } {
  const end = key.lastIndexOf('/');
  return { layer: key.slice(0, end), index: Number(key.slice(end + 1)) };
}
