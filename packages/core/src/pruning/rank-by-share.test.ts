import { expect, it } from 'vitest';
import { type LayerScores, overallScores } from '../scoring/criterion.ts';
import { rankByShare, type ScoreCombination } from './rank-by-share.ts';
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

it('makes shares of the layer mean out of scores without a bound', () => {
  const [a, b] = rankByShare([overallScores('a', [1, 2, 3]), overallScores('b', [100, -200, 300])]);
  expect(a).toMatchObject({ unit: 'layer mean', scores: [0.5, 1, 1.5] });
  expect(b!.scores).toEqual([0.5, -1, 1.5]);
  const [raw] = rankByShare([overallScores('a', [1, 2, 3])], { normalise: 'none' });
  expect(raw).toMatchObject({ unit: 'none', scores: [1, 2, 3] });
  const [zeros] = rankByShare([overallScores('a', [0, 0])]);
  expect(zeros!.scores).toEqual([0, 0]);
  const [relative] = rankByShare([scored(10, [2, 4], 1)], { normalise: 'layer mean' });
  expect(relative).toMatchObject({ unit: 'layer mean' });
  expect(relative!.scores).toEqual([2 / 3, 4 / 3]);
});

it('refuses a threshold for scores without a unit', () => {
  const rankings = rankByShare([overallScores('a', [1, 2, 3])], { normalise: 'none' });
  expect(() => selectFilters(rankings, { threshold: 2 })).toThrow("Use the strategy 'percentage', or normalise");
  expect(selectFilters(rankings, { strategy: 'percentage', maxFraction: 0.4 }).removed.length).toBe(1);
});

it('combines the scores of filters that go together, and leaves out what was not scored', () => {
  const scores = [
    { ...scored(10, [30, 0, 10], 10), layer: 'first' },
    { ...scored(10, [20, 80, 50], 10), layer: 'second' },
  ];
  // Unit i: filter i of the first layer and filter 2 - i of the second; the last unit has a filter of no scored layer too.
  const units = [0, 1, 2].map((i) => ({
    filters: [
      { layer: 'first', filter: i },
      { layer: 'second', filter: 2 - i },
      ...(i === 2 ? [{ layer: 'elsewhere', filter: 0 }] : []),
    ],
  }));
  const unscored = { name: 'elsewhere', units: [{ filters: [{ layer: 'elsewhere', filter: 1 }] }] };
  const combined = (combine?: ScoreCombination) => {
    const rankings = rankByShare(scores, { groups: [{ name: 'both', units }, unscored], ...(combine && { combine }) });
    expect(rankings.map(({ layer, unit }) => [layer, unit])).toEqual([['both', 'classes']]);
    return rankings[0]!.scores;
  };
  expect(combined('max')).toEqual([0.5, 0.8, 0.2]);
  expect(combined('sum')).toEqual([0.8, 0.8, 0.3]);
  expect(combined('mean')).toEqual([0.4, 0.4, 0.15]);
  expect(combined()).toEqual(combined('mean'));
});
