import * as tf from '@tensorflow/tfjs-core';
import type { LayerScores } from '../criterion.ts';
import { type ImageScoringInput, observeGradients } from '../scoring-pass.ts';
import { scoresByCounting } from './class-counts.ts';

/** About how many values of each image a layer's quantile is taken from. */
const SAMPLED_VALUES = 1024;

/**
 * The reference score with a tau of its own for each layer.
 *
 *     tau(layer) = that quantile of |a * dL/da| over the layer's filters and positions, and all images
 *
 * Gradients per position differ by orders of magnitude between layers; with this tau the same share of every layer's values passes. Layers
 * with many positions still score higher, as S takes the best one. Good for the paper's rule on networks that were not trained for it.
 * Takes two passes over the images; the quantile is that of evenly spaced positions where an image has more than about 1024 values.
 */
export async function quantileScores(
  input: ImageScoringInput,
  { quantile }: { quantile: number },
): Promise<LayerScores[]> {
  if (!(quantile >= 0 && quantile < 1)) {
    throw new Error(`The criterion 'quantile' needs a quantile of at least 0 and below 1, but it is ${quantile}.`);
  }
  const taus = await findTaus(input, quantile);
  return scoresByCounting(input, (layer) => taus.get(layer)!);
}

async function findTaus(input: ImageScoringInput, quantile: number): Promise<Map<string, number>> {
  const samples = new Map<string, Float32Array[]>(input.layers.map((layer) => [layer, []]));
  await observeGradients(input, {
    at: 'output',
    byClass: true,
    observe: ({ layer, seen }) => {
      samples.get(layer)!.push(sample(tf.abs(tf.mul(seen.activation, seen.gradient))));
    },
  });
  return new Map([...samples].map(([layer, parts]) => [layer, quantileOf(parts, quantile)]));
}

function quantileOf(parts: readonly Float32Array[], quantile: number): number {
  const values = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    values.set(part, offset);
    offset += part.length;
  }
  return values.sort()[Math.floor(quantile * values.length)]!;
}

/** All filters at every n-th position; n is odd, so that it does not meet the same columns in every row. */
function sample(values: tf.Tensor): Float32Array {
  const [images, filters] = [values.shape[0]!, values.shape.at(-1)!];
  const flat = tf.reshape(values, [images, -1, filters]);
  const positions = flat.shape[1]!;
  const step = Math.max(1, Math.floor((positions * filters) / SAMPLED_VALUES)) | 1;
  return tf.gather(flat, tf.range(0, positions, step, 'int32'), 1).dataSync() as Float32Array;
}
