import { expect, it } from 'vitest';
import type { LayerScores } from '../scoring/criterion.ts';
import { rankByShare } from './rank-by-share.ts';
import { selectFilters } from './select-filters.ts';

function scored(classes: number, numerators: readonly number[], denominator: number): LayerScores {
  return {
    layer: 'conv',
    filters: numerators.length,
    classes,
    numerators: Int32Array.from(numerators),
    denominator,
    tieBreak: new Float64Array(numerators.length),
    classMatrix: new Float32Array(classes * numerators.length),
  };
}

it.each([
  [0.07, 100, [6, 7, 8], 1],
  [0.07, 100, [69, 70, 71], 10],
  [0.56, 10, [279, 280, 281], 50],
  [0.3, 10, [29, 30, 31], 10],
])('a threshold of %d of %i classes is met by just that many', (threshold, classes, numerators, denominator) => {
  const { removed } = selectFilters(rankByShare([scored(classes, numerators, denominator)]), {
    strategy: 'threshold',
    threshold,
  });
  expect(removed).toEqual([{ layer: 'conv', filter: 0, score: numerators[0]! / (denominator * classes) }]);
});
