import type { LayerScores } from '../criterion.ts';
import type { ImageScoringInput } from '../scoring-pass.ts';
import { scoresByCounting } from './class-counts.ts';

/**
 * The score of class-aware pruning (arXiv 2312.05875, section III-B).
 *
 *     s(c, f, position) = share of the images of class c with |a * dL/da| > tau
 *     S(f) = max over positions of  sum over classes of  s(c, f, position)
 *
 * a is the layer's output before batch norm; the positions are those of all places where the layer is used. tau 0 is the authors' setting (their 1e-50 is 0 in float32). Good for reproducing the paper:
 * nearly all filters of an ordinarily trained network come out as important, so it belongs with long L1 training.
 */
export function referenceScores(input: ImageScoringInput, { tau }: { tau: number }): Promise<LayerScores[]> {
  return scoresByCounting(input, () => tau);
}
