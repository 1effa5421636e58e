import type { LayerScores } from '@secateur/core';
import { sparkline, whole } from './format.ts';
import { table } from './table.ts';

/**
 * One line for each layer: how its filters spread over the scores from 0 to the number of classes; where scores have no bound, from the lowest
 * to the highest of the layer.
 *
 * @param options.threshold A share of the classes. Shares are compared, as multiplying it would round it.
 */
export function scoresReport(scores: readonly LayerScores[], { threshold }: { threshold: number }): string {
  const classes = scores[0]?.classes ?? 0;
  if (classes === 0) return unboundedReport(scores);
  const rows = scores.map((layer) => {
    const values = valuesOf(layer);
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

const BINS = 10;

function unboundedReport(scores: readonly LayerScores[]): string {
  const rows = scores.map((layer) => {
    const values = valuesOf(layer);
    const [lowest, highest] = [Math.min(...values), Math.max(...values)];
    const mean = values.reduce((sum, score) => sum + score, 0) / values.length;
    const range = highest > lowest ? highest - lowest : 1;
    const spread = histogram(
      values.map((value) => ((value - lowest) / range) * BINS),
      BINS,
    );
    const numbers = [lowest, mean, highest].map((value) => value.toPrecision(3));
    return [layer.layer, whole(layer.filters), `|${sparkline(spread)}|`, ...numbers];
  });
  return table(
    [
      { title: 'Layer' },
      { title: 'filters' },
      { title: 'low to high', align: 'left' },
      { title: 'lowest' },
      { title: 'mean' },
      { title: 'highest' },
    ],
    rows,
  );
}

function valuesOf({ numerators, denominator }: LayerScores): number[] {
  return Array.from(numerators, (numerator) => numerator / denominator);
}

/** Number of scores nearest to each whole number from 0 to `classes`, in at most 21 bins. */
export function histogram(scores: readonly number[], classes: number): number[] {
  const bins = Math.min(classes, 20);
  const counts = Array.from({ length: bins + 1 }, () => 0);
  for (const score of scores) counts[Math.round((score / classes) * bins)]!++;
  return counts;
}
