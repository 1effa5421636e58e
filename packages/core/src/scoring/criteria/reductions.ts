import * as tf from '@tensorflow/tfjs-core';
import type { PassTotals } from '../scoring-pass.ts';

/** [images, ..., filters] -> [images, filters] */
export function meanOverPositions(values: tf.Tensor): tf.Tensor2D {
  const [images, filters] = [values.shape[0]!, values.shape.at(-1)!];
  return tf.mean(tf.reshape(values, [images, -1, filters]), 1);
}

/** Takes the totals of a pass, one value for each filter, out of their tensors and disposes these. */
export async function readTotals({ layers }: PassTotals): Promise<{ layer: string; values: Float32Array }[]> {
  try {
    return await Promise.all(
      layers.map(async ({ layer, total }) => ({ layer, values: (await total.data()) as Float32Array })),
    );
  } finally {
    for (const { total } of layers) total.dispose();
  }
}
