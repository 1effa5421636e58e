import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import { ruleOf } from '../../graph/layer-rules.ts';
import { readNetwork } from '../../graph/nodes.ts';

/** The weights of each filter of a layer, without biases, those of all its kernels one after the other. */
export function readFilters(model: LayersModel, name: string): Float32Array[] {
  const layer = findLayer(model, name);
  const count = countFilters(layer);
  return tf.tidy(() => {
    const kernels = kernelsOf(layer).map(({ kernel, axis }) => {
      const weights = kernel.read();
      const others = weights.shape.map((_, i) => i).filter((i) => i !== axis);
      return tf.reshape(tf.transpose(weights, [axis, ...others]), [count, -1]);
    });
    const rows = tf.concat(kernels, 1);
    const values = rows.dataSync<'float32'>();
    const length = rows.shape[1]!;
    return Array.from({ length: count }, (_, f) => values.slice(f * length, (f + 1) * length));
  });
}

export function filterCount(model: LayersModel, name: string): number {
  return countFilters(findLayer(model, name));
}

function findLayer(model: LayersModel, name: string): Layer {
  return readNetwork(model).nodes.find((node) => node.name === name)!.layer;
}

function countFilters(layer: Layer): number {
  return ruleOf(layer.getClassName())!.filters!.count(layer);
}

/** Weights with an axis along which filters lie, or the columns of attention heads, which have several for each head. */
function kernelsOf(layer: Layer) {
  const { filters, weights = {} } = ruleOf(layer.getClassName())!;
  const axes = [filters!.axis, 'columns'];
  return layer.weights
    .filter(({ shape }) => shape.length > 1)
    .flatMap((kernel) => {
      const [, along] = Object.entries(weights).find(([name]) => kernel.originalName.endsWith(`/${name}`)) ?? [];
      const axis = axes.map((name) => along?.[name]).find((place) => place !== undefined);
      return axis === undefined ? [] : [{ kernel, axis: kernel.shape.length + axis }];
    });
}
