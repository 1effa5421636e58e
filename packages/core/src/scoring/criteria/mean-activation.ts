import * as tf from '@tensorflow/tfjs-core';
import { type LayerScores, overallScores } from '../criterion.ts';
import { activationPass, type ImageScoringInput } from '../scoring-pass.ts';
import { meanOverPositions, readTotals } from './reductions.ts';

/**
 * Mean activation (Molchanov et al. 2017, arXiv 1611.06440, section 2.2).
 *
 *     S(f) = mean over images and positions of z        z: feature map, behind batch norm and activation
 *
 * Of a layer in several places, the mean over these too; of an attention head, |a| at what it puts out, mean over its channels.
 *
 * Good as a baseline that needs images but no labels and no gradient.
 */
export async function meanActivationScores(input: ImageScoringInput): Promise<LayerScores[]> {
  const totals = await activationPass(input, {
    at: 'feature map',
    byClass: false,
    reduce: ({ seen }) => tf.sum(meanOverPositions(seen), 0),
  });
  return (await readTotals(totals)).map(({ layer, values, places }) =>
    overallScores(
      layer,
      values.map((value) => value / (input.source.size * places)),
    ),
  );
}
