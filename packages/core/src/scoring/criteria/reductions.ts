import * as tf from '@tensorflow/tfjs-core';
import { disposeTotals, type PassTotals } from '../scoring-pass.ts';

/** [images, ..., filters] -> [images, filters] */
export function meanOverPositions(values: tf.Tensor): tf.Tensor2D {
  const [images, filters] = [values.shape[0]!, values.shape.at(-1)!];
  return tf.mean(tf.reshape(values, [images, -1, filters]), 1);
}

/** Values of one layer's filters, added up over the places where it is used. */
interface FilterTotals {
  readonly layer: string;
  readonly values: Float32Array;
  readonly places: number;
}

/** Takes the totals of a pass, one value for each filter, out of their tensors and disposes these. */
export async function readTotals(pass: PassTotals): Promise<FilterTotals[]> {
  try {
    return await Promise.all(
      pass.layers.map(async ({ layer, totals }) => ({
        layer,
        values: await sumOverPlaces(totals),
        places: totals.length,
      })),
    );
  } finally {
    disposeTotals(pass);
  }
}

/** @param totals All of the same shape; they stay the caller's. */
export async function sumOverPlaces(totals: readonly tf.Tensor[]): Promise<Float32Array> {
  const sum = tf.addN([...totals]);
  try {
    return (await sum.data()) as Float32Array;
  } finally {
    sum.dispose();
  }
}
