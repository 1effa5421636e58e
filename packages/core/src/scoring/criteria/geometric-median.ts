import { type LayerScores, overallScores } from '../criterion.ts';
import type { ScoringInput } from '../scoring-pass.ts';
import { readFilters } from './filters.ts';

/**
 * Filter pruning via geometric median, FPGM (He et al. 2019, arXiv 1811.00250, eq. 6).
 *
 *     S(f) = sum over the layer's filters g of  ||w_f - w_g||_2
 *
 * The filter nearest to the geometric median is the one that the others can best replace. Good where all filters have similar norms, so
 * that small ones are not useless ones.
 */
export function geometricMedianScores({ model, layers }: ScoringInput): LayerScores[] {
  return layers.map((layer) => {
    const filters = readFilters(model, layer);
    const scores = new Float64Array(filters.length);
    for (let f = 0; f < filters.length; f++) {
      for (let g = 0; g < f; g++) {
        const apart = distance(filters[f]!, filters[g]!);
        scores[f]! += apart;
        scores[g]! += apart;
      }
    }
    return overallScores(layer, scores);
  });
}

function distance(a: Float32Array, b: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(squares);
}
