import { type LayerScores, overallScores } from '../criterion.ts';
import type { ImageScoringInput } from '../scoring-pass.ts';
import { relativeImportance } from './importance.ts';

/**
 * The relative score without its step from 0 to 1: a filter matters to a class by degrees.
 *
 *     r(c, f) = imp(c, f) / (mean over the layer of imp(c, .))
 *     S(f) = sum over classes of  r / (r + rho)
 *
 * imp is that of `relativeImportance`. Each class adds less than 1, and 1/2 at rho times the layer's mean, so a filter cannot make up for
 * classes that it does nothing for by serving one very well. Good where many filters share a count, as with few classes: no ties, and no
 * class that is won or lost by a rounding error.
 */
export async function gradedScores(input: ImageScoringInput, { rho }: { rho: number }): Promise<LayerScores[]> {
  if (!(rho > 0)) throw new Error(`The criterion 'graded' needs a rho greater than 0, but it is ${rho}.`);
  const layers = await relativeImportance(input);
  return layers.map(({ layer, filters, classes, ratios }) => {
    const degrees = ratios.map((ratio) => ratio / (ratio + rho));
    const scores = new Float64Array(filters);
    degrees.forEach((degree, i) => {
      scores[i % filters]! += degree;
    });
    return { ...overallScores(layer, scores), classes, classMatrix: Float32Array.from(degrees) };
  });
}
