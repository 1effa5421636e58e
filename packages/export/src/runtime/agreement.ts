export interface Agreement {
  /** Infinity when any pair differs by something that is not a number. */
  readonly maxAbsDifference: number;
  /** The largest |x - y| / (1 + |x|), x the model's logit: absolute for small logits, relative for large ones. */
  readonly maxScaledDifference: number;
  readonly meanAbsDifference: number;
  /** Decisions for a class: one for each image, or for each position of it where the network labels those, and of each output. */
  readonly predictions: number;
  /** Predictions of the same class. */
  readonly sameClass: number;
  /** Of different classes, but where the two best logits lie closer than twice what the tolerance allows. */
  readonly ties: number;
  /** Of different classes, which rounding does not explain. */
  readonly differentClass: number;
}

/** Compares tables of logits, [predictions, classes] each. A difference of tolerance * (1 + |logit|) is rounding. */
export class LogitComparison {
  readonly #tolerance: number;
  #largest = 0;
  #largestScaled = 0;
  #sum = 0;
  #logits = 0;
  readonly #counts = { sameClass: 0, ties: 0, differentClass: 0 };

  constructor(tolerance: number) {
    this.#tolerance = tolerance;
  }

  add(expected: Float32Array, actual: Float32Array, classes: number): void {
    this.#logits += expected.length;
    expected.forEach((value, i) => {
      const difference = Math.abs(value - actual[i]!);
      const scaled = difference / (1 + Math.abs(value));
      this.#largest = Math.max(this.#largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
      this.#largestScaled = Math.max(this.#largestScaled, Number.isNaN(scaled) ? Number.POSITIVE_INFINITY : scaled);
      this.#sum += difference;
    });
    for (let start = 0; start < expected.length; start += classes) {
      const row = expected.subarray(start, start + classes);
      if (argMax(row) === argMax(actual.subarray(start, start + classes))) this.#counts.sameClass++;
      else if (lead(row) < 2 * this.#tolerance * (1 + Math.max(...row.map(Math.abs)))) this.#counts.ties++;
      else this.#counts.differentClass++;
    }
  }

  get agreement(): Agreement {
    const { sameClass, ties, differentClass } = this.#counts;
    return {
      maxAbsDifference: this.#largest,
      maxScaledDifference: this.#largestScaled,
      meanAbsDifference: this.#sum / this.#logits,
      predictions: sameClass + ties + differentClass,
      ...this.#counts,
    };
  }
}

/** How many rows of [predictions, classes] are largest where the labels say. */
export function countCorrect(logits: Float32Array, labels: ArrayLike<number>, classes: number): number {
  return Array.from(labels).filter((label, i) => argMax(logits.subarray(i * classes, (i + 1) * classes)) === label)
    .length;
}

function argMax(row: Float32Array): number {
  return row.reduce((best, value, i) => (value > row[best]! ? i : best), 0);
}

/** How far the best logit is ahead of the second best. */
function lead(row: Float32Array): number {
  const [best, second] = row.toSorted().subarray(-2).reverse();
  return best! - (second ?? Number.NEGATIVE_INFINITY);
}
