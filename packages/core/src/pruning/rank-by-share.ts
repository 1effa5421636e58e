import type { LayerScores } from '../scoring/criterion.ts';
import type { LayerRanking } from './select-filters.ts';

/**
 * Scores as shares of the classes, in [0, 1], for thresholds that are shares too. The fraction is
 * numerator / (denominator * classes), so that the comparison stays exact: multiplying the threshold by the number of
 * classes would round it (0.07 * 100 is 7.000000000000001).
 */
export function rankByShare(scores: readonly LayerScores[]): LayerRanking[] {
  return scores.map(({ layer, classes, numerators, denominator, tieBreak }) => ({
    layer,
    scores: { numerators, denominator: denominator * classes },
    tieBreak,
  }));
}
