import type { LayerScores } from '../criterion.ts';
import type { ImageScoringInput } from '../scoring-pass.ts';
import { relativeImportance } from './importance.ts';

/**
 * Counts classes as the reference score does, but relative to the layer.
 *
 *     f matters to c  if  imp(c, f) > rho * (mean over the layer of imp(c, .))
 *     S(f) = number of classes that f matters to; equal scores go by the mean ratio
 *
 * imp is that of `relativeImportance`. One rho is fair to all layers. Good for pruning ordinarily trained networks, a little at a time.
 */
export async function relativeScores(input: ImageScoringInput, { rho }: { rho: number }): Promise<LayerScores[]> {
  const layers = await relativeImportance(input);
  return layers.map(({ layer, filters, classes, ratios }) => {
    const numerators = new Int32Array(filters);
    const tieBreak = new Float64Array(filters);
    ratios.forEach((ratio, i) => {
      const f = i % filters;
      tieBreak[f]! += ratio / classes;
      if (ratio > rho) numerators[f]!++;
    });
    return { layer, filters, classes, numerators, denominator: 1, tieBreak, classMatrix: Float32Array.from(ratios) };
  });
}
