export interface Agreement {
  /** Infinity when any pair differs by something that is not a number. */
  readonly maxAbsDifference: number;
  /** The largest |x - y| / (1 + |x|), x the model's logit: absolute for small logits, relative for large ones. */
  readonly maxScaledDifference: number;
  readonly meanAbsDifference: number;
  /** Images for which both predict the same class. */
  readonly sameClass: number;
  /** Images with different classes, but whose two best logits lie closer than twice what the tolerance allows. */
  readonly ties: number;
  /** Images with different classes that rounding does not explain. */
  readonly differentClass: number;
}

/** Compares two tables of logits, [images, classes] each. A difference of tolerance * (1 + |logit|) is rounding. */
export function compareLogits(
  expected: Float32Array,
  actual: Float32Array,
  { classes, tolerance }: { classes: number; tolerance: number },
): Agreement {
  let [maximum, maximumScaled, sum] = [0, 0, 0];
  expected.forEach((value, i) => {
    const difference = Math.abs(value - actual[i]!);
    const scaled = difference / (1 + Math.abs(value));
    maximum = Math.max(maximum, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    maximumScaled = Math.max(maximumScaled, Number.isNaN(scaled) ? Number.POSITIVE_INFINITY : scaled);
    sum += difference;
  });
  const counts = { sameClass: 0, ties: 0, differentClass: 0 };
  for (let start = 0; start < expected.length; start += classes) {
    const row = expected.subarray(start, start + classes);
    if (argMax(row) === argMax(actual.subarray(start, start + classes))) counts.sameClass++;
    else if (lead(row) < 2 * tolerance * (1 + Math.max(...row.map(Math.abs)))) counts.ties++;
    else counts.differentClass++;
  }
  return {
    maxAbsDifference: maximum,
    maxScaledDifference: maximumScaled,
    meanAbsDifference: sum / expected.length,
    ...counts,
  };
}

export function argMax(row: Float32Array): number {
  return row.reduce((best, value, i) => (value > row[best]! ? i : best), 0);
}

/** How far the best logit is ahead of the second best. */
function lead(row: Float32Array): number {
  const [best, second] = row.toSorted().subarray(-2).reverse();
  return best! - (second ?? Number.NEGATIVE_INFINITY);
}
