import type { RecordedScores } from './run-events.ts';
import type { LayerHistogram, ScoreMatrix } from './run-report.ts';

const MOST_BINS = 20;

/** Where scores count classes, bins stand for whole numbers of classes, or for equal shares of many classes. */
export function histogramOf(scores: RecordedScores, removed: number): LayerHistogram {
  const values = scoresOf(scores);
  const { layer, filters, classes } = scores;
  const low = classes > 0 ? 0 : Math.min(...values);
  const high = classes > 0 ? classes : Math.max(...values);
  const last = classes > 0 ? Math.min(classes, MOST_BINS) : MOST_BINS;
  const counts = Array.from({ length: last + 1 }, () => 0);
  for (const value of values) counts[high > low ? Math.round(((value - low) / (high - low)) * last) : 0]!++;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { layer, filters, low, high, counts, mean: short(mean), removed };
}

/** The class matrix in bytes; undefined for criteria that do not look at classes. */
export function matrixOf(
  scores: RecordedScores,
  { iteration, removed }: { iteration: number; removed: readonly number[] },
): ScoreMatrix | undefined {
  const { layer, classes, classMatrix } = scores;
  if (classMatrix.length === 0) return undefined;
  const largest = classMatrix.reduce((a, b) => Math.max(a, b), 0);
  const bytes = Uint8Array.from(classMatrix, (value) =>
    largest > 0 ? Math.round(255 * Math.sqrt(value / largest)) : 0,
  );
  return {
    iteration,
    layer,
    classes,
    scores: scoresOf(scores).map(short),
    removed,
    largest,
    bytes: Buffer.from(bytes).toString('base64'),
  };
}

function scoresOf({ numerators, denominator }: RecordedScores): number[] {
  return numerators.map((numerator) => numerator / denominator);
}

function short(value: number): number {
  return Number(value.toPrecision(4));
}
