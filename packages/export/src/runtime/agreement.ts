export interface Agreement {
  /** Infinity when any pair differs by something that is not a number. */
  readonly maxAbsDifference: number;
  readonly meanAbsDifference: number;
  /** Images for which both predict the same class. */
  readonly sameClass: number;
  /** Images with different classes, but whose two best logits lie closer than twice the tolerance. */
  readonly ties: number;
  /** Images with different classes that rounding does not explain. */
  readonly differentClass: number;
}

/** Compares two tables of logits, [images, classes] each. */
export function compareLogits(
  expected: Float32Array,
  actual: Float32Array,
  { classes, tolerance }: { classes: number; tolerance: number },
): Agreement {
  let maximum = 0;
  let sum = 0;
  expected.forEach((value, i) => {
    const difference = Math.abs(value - actual[i]!);
    maximum = Math.max(maximum, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    sum += difference;
  });
  const counts = { sameClass: 0, ties: 0, differentClass: 0 };
  for (let start = 0; start < expected.length; start += classes) {
    const row = expected.subarray(start, start + classes);
    if (argMax(row) === argMax(actual.subarray(start, start + classes))) counts.sameClass++;
    else if (lead(row) < 2 * tolerance) counts.ties++;
    else counts.differentClass++;
  }
  return { maxAbsDifference: maximum, meanAbsDifference: sum / expected.length, ...counts };
}

export function argMax(row: Float32Array): number {
  return row.reduce((best, value, i) => (value > row[best]! ? i : best), 0);
}

/** How far the best logit is ahead of the second best. */
function lead(row: Float32Array): number {
  const [best, second] = row.toSorted().subarray(-2).reverse();
  return best! - (second ?? Number.NEGATIVE_INFINITY);
}
