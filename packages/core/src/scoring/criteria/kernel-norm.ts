import { type LayerScores, overallScores } from '../criterion.ts';
import type { ScoringInput } from '../scoring-pass.ts';
import { readFilters } from './filters.ts';

/**
 * Norm of a filter's kernel, without its bias.
 *
 *     l1-norm: S(f) = sum |w|            Li et al. 2017, arXiv 1608.08710
 *     l2-norm: S(f) = sqrt(sum w^2)      He et al. 2018, arXiv 1808.06866
 *
 * Good as the usual baselines: no images, and hardly any time. Batch norm behind a convolution takes the meaning out of its scale, so
 * norms compare filters of one layer; between layers only with the scores normalised.
 */
export function kernelNormScores(
  { model, layers }: ScoringInput,
  { kind }: { kind: 'l1-norm' | 'l2-norm' },
): LayerScores[] {
  const norm = kind === 'l1-norm' ? l1 : l2;
  return layers.map((layer) => overallScores(layer, readFilters(model, layer).map(norm)));
}

function l1(weights: Float32Array): number {
  return weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
}

function l2(weights: Float32Array): number {
  return Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
}
