import * as tf from '@tensorflow/tfjs-core';
import { type LayerScores, overallScores } from '../criterion.ts';
import { gradientPass, type ImageScoringInput } from '../scoring-pass.ts';
import { meanOverPositions, readTotals } from './reductions.ts';

/**
 * First-order Taylor expansion of the loss, not class-aware (Molchanov et al. 2017, arXiv 1611.06440, eq. 8).
 *
 *     S(f) = mean over images of  | mean over positions of  z * dL/dz |        z: feature map, behind batch norm and activation
 *
 * Of a layer in several places, the sum of theirs. Estimates how the loss changes when the filter puts out zero. Good as the strong baseline that class-aware scores have to beat.
 */
export async function taylorScores(input: ImageScoringInput): Promise<LayerScores[]> {
  const totals = await gradientPass(input, {
    at: 'feature map',
    byClass: false,
    reduce: ({ seen: { activation, gradient } }) => tf.sum(tf.abs(meanOverPositions(tf.mul(activation, gradient))), 0),
  });
  const classes = input.source.classNames.length;
  // The pass divides each image's loss by the images of its class: images / images per class is left.
  return (await readTotals(totals)).map(({ layer, values }) =>
    overallScores(
      layer,
      values.map((value) => value / classes),
    ),
  );
}
