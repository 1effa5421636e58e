import type { LayerScores } from '@secateur/core';
import { sparkline, whole } from './format.ts';
import { table } from './table.ts';

/**
 * One line for each layer: how its filters spread over the scores from 0 to the number of classes.
 *
 * @param options.threshold A share of the classes. Shares are compared, as multiplying it would round it.
 */
export function scoresReport(scores: readonly LayerScores[], { threshold }: { threshold: number }): string {
  const classes = scores[0]?.classes ?? 0;
  const rows = scores.map((layer) => {
    const values = Array.from(layer.numerators, (numerator) => numerator / layer.denominator);
    const below = layer.numerators.filter((numerator) => numerator / (layer.denominator * classes) < threshold).length;
    const mean = values.reduce((sum, score) => sum + score, 0) / values.length;
    return [
      layer.layer,
      whole(layer.filters),
      `|${sparkline(histogram(values, classes))}|`,
      mean.toFixed(2),
      whole(below),
    ];
  });
  return table(
    [
      { title: 'Layer' },
      { title: 'filters' },
      { title: `scores 0..${classes}`, align: 'left' },
      { title: 'mean' },
      { title: `below ${Number((threshold * classes).toFixed(2))}` },
    ],
    rows,
  );
}

/** Number of scores nearest to each whole number from 0 to `classes`, in at most 21 bins. */
export function histogram(scores: readonly number[], classes: number): number[] {
  const bins = Math.min(classes, 20);
  const counts = Array.from({ length: bins + 1 }, () => 0);
  for (const score of scores) counts[Math.round((score / classes) * bins)]!++;
  return counts;
}
