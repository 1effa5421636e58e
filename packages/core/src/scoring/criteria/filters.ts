import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import { ruleOf } from '../../graph/layer-rules.ts';

/** The kernel's weights of each filter, without the bias. */
export function readFilters(layer: Layer): Float32Array[] {
  const { kernel, axis } = kernelOf(layer);
  return tf.tidy(() => {
    const weights = kernel.read();
    const others = weights.shape.map((_, i) => i).filter((i) => i !== axis);
    const filters = weights.shape[axis]!;
    const rows = tf.reshape(tf.transpose(weights, [axis, ...others]), [filters, -1]);
    const values = rows.dataSync<'float32'>();
    const length = rows.shape[1]!;
    return Array.from({ length: filters }, (_, f) => values.slice(f * length, (f + 1) * length));
  });
}

export function filterCount(layer: Layer): number {
  const { kernel, axis } = kernelOf(layer);
  return kernel.shape[axis]!;
}

function kernelOf(layer: Layer) {
  const axis = ruleOf(layer.getClassName())?.weights?.kernel?.outputs;
  const kernel = layer.weights.find(({ originalName }) => originalName.endsWith('/kernel'));
  if (axis === undefined || !kernel) {
    throw new Error(
      `Expected '${layer.name}' to have a kernel with an axis of filters, but a ${layer.getClassName()} layer has none.`,
    );
  }
  return { kernel, axis };
}
