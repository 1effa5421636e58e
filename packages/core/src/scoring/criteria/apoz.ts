import * as tf from '@tensorflow/tfjs-core';
import { type LayerScores, overallScores } from '../criterion.ts';
import { activationPass, type ImageScoringInput } from '../scoring-pass.ts';
import { meanOverPositions, readTotals } from './reductions.ts';

/**
 * Average percentage of zeros (Hu et al. 2016, arXiv 1607.03250, eq. 1), turned round so that low scores go first.
 *
 *     S(f) = 1 - APoZ(f) = share of the feature map's values that are not zero, over images and positions
 *
 * The feature map is what is behind batch norm and activation; of a layer in several places, those of all. Good for finding filters that ReLU keeps shut; says nothing about
 * activations that are never zero.
 */
export async function apozScores(input: ImageScoringInput): Promise<LayerScores[]> {
  const totals = await activationPass(input, {
    at: 'feature map',
    byClass: false,
    reduce: ({ seen }) => tf.sum(meanOverPositions(tf.cast(tf.notEqual(seen, 0), 'float32')), 0),
  });
  return (await readTotals(totals)).map(({ layer, values, places }) =>
    overallScores(
      layer,
      values.map((value) => value / (input.source.size * places)),
    ),
  );
}
