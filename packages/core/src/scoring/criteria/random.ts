import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type LayerScores, overallScores } from '../criterion.ts';
import type { ScoringInput } from '../scoring-pass.ts';
import { filterCount } from './filters.ts';

/**
 * Random numbers in [0, 1), the same for the same seed and layers. Good as the baseline that every criterion has to beat, which at equal
 * fine-tuning is less easy than it sounds (Mittal et al. 2018, arXiv 1801.10447).
 */
export function randomScores({ model, layers }: ScoringInput, { seed }: { seed: number }): LayerScores[] {
  const generator = xoroshiro128plus(seed);
  return layers.map((layer) =>
    overallScores(
      layer,
      Array.from({ length: filterCount(model, layer) }, () => (generator.next() >>> 0) / 2 ** 32),
    ),
  );
}
