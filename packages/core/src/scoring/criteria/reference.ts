import * as tf from '@tensorflow/tfjs-core';
import { taylorCount } from '../../kernels/taylor.ts';
import type { LayerScores } from '../criterion.ts';
import {
  disposeTotals,
  gradientPass,
  type ImageScoringInput,
  type LayerTotals,
  type PassTotals,
} from '../scoring-pass.ts';

/**
 * The score of class-aware pruning (arXiv 2312.05875, section III-B).
 *
 *     s(c, f, position) = share of the images of class c with |a * dL/da| > tau
 *     S(f) = max over positions of  sum over classes of  s(c, f, position)
 *
 * a is the layer's output before batch norm; the positions are those of all places where the layer is used. tau 0 is the authors' setting (their 1e-50 is 0 in float32). Good for reproducing the paper:
 * nearly all filters of an ordinarily trained network come out as important, so it belongs with long L1 training.
 */
export async function referenceScores(input: ImageScoringInput, { tau }: { tau: number }): Promise<LayerScores[]> {
  return toScores(await countAbove(input, () => tau));
}

/** @returns int32 counts [classes, ..., filters] of the images of each class with |a * dL/da| above their layer's tau. */
export function countAbove(input: ImageScoringInput, tauOf: (layer: string) => number): Promise<PassTotals> {
  return gradientPass(input, {
    at: 'output',
    byClass: true,
    reduce: ({ layer, seen, classes }) => taylorCount(seen, { threshold: tauOf(layer), classes }),
  });
}

/** Of counts; the division comes last, so that scores are exact. */
export async function toScores(pass: PassTotals): Promise<LayerScores[]> {
  try {
    return await Promise.all(pass.layers.map((layer) => layerScores(layer, pass)));
  } finally {
    disposeTotals(pass);
  }
}

async function layerScores(
  { layer, totals }: LayerTotals,
  { imagesPerClass }: Pick<PassTotals, 'imagesPerClass'>,
): Promise<LayerScores> {
  const [classes, filters] = [totals[0]!.shape[0]!, totals[0]!.shape.at(-1)!];
  const [byPosition, byClass] = tf.tidy(() => {
    const flat = tf.concat(
      totals.map((counts) => tf.reshape(counts, [classes, -1, filters])),
      1,
    );
    return [tf.max(tf.sum(flat, 0), 0), tf.max(flat, 1)];
  }) as [tf.Tensor1D, tf.Tensor2D];
  const numerators = Int32Array.from(await byPosition.data());
  const classMatrix = Float32Array.from(await byClass.data(), (count) => count / imagesPerClass);
  tf.dispose([byPosition, byClass]);
  const tieBreak = new Float64Array(filters);
  return { layer, filters, classes, numerators, denominator: imagesPerClass, tieBreak, classMatrix };
}
