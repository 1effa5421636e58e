/** The middle value, or the mean of the two middle ones. @throws Error when there is no value. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('Expected at least one value to take the median of, but got none.');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** @throws Error when there is no value. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new Error('Expected at least one value to take the mean of, but got none.');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the population that the values are a sample of: the squares are divided by one less than there are. 0 for one value. */
export function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return values.length === 1 ? 0 : Math.sqrt(squares / (values.length - 1));
}

/** Over seeds. */
export interface Spread {
  readonly mean: number;
  /** Of the sample; absent for a single seed. */
  readonly standardDeviation?: number;
}

export function spread(values: readonly number[]): Spread {
  return { mean: mean(values), ...(values.length > 1 && { standardDeviation: standardDeviation(values) }) };
}

/**
 * Spearman's rank correlation: that of Pearson between the ranks, equal values sharing the mean of theirs. From -1 to 1; 0 where either
 * side has a single value throughout, and so no order.
 *
 * @throws Error when the lists differ in length, or there is no value.
 */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) {
    throw new Error(`Expected two lists of the same length to correlate, but got ${a.length} and ${b.length} values.`);
  }
  return correlation(ranks(a), ranks(b));
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let [together, squaresA, squaresB] = [0, 0, 0];
  a.forEach((value, i) => {
    const [fromA, fromB] = [value - meanA, b[i]! - meanB];
    together += fromA * fromB;
    squaresA += fromA ** 2;
    squaresB += fromB ** 2;
  });
  return squaresA === 0 || squaresB === 0 ? 0 : together / Math.sqrt(squaresA * squaresB);
}

/** From 0; equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranked = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) ranked[order[i]!] = (start + end - 1) / 2;
    start = end;
  }
  return ranked;
}

/**
 * Sarle's bimodality coefficient of a sample, (g^2 + 1) / (k + 3 (n - 1)^2 / ((n - 2)(n - 3))), with the sample's skewness g and excess
 * kurtosis k: 1 for two equal heaps at two points, 5/9 for a uniform distribution, 1/3 for a normal one. 0 for values that are all the same.
 *
 * @throws Error for fewer than four values.
 */
export function bimodality(values: readonly number[]): number {
  const n = values.length;
  if (n < 4) throw new Error(`Expected at least four values to look for two heaps in, but got ${n}.`);
  const centre = mean(values);
  const moment = (power: number) => mean(values.map((value) => (value - centre) ** power));
  const variance = moment(2);
  if (variance === 0) return 0;
  const skewness = (Math.sqrt(n * (n - 1)) / (n - 2)) * (moment(3) / variance ** 1.5);
  const excess = ((n - 1) / ((n - 2) * (n - 3))) * ((n + 1) * (moment(4) / variance ** 2 - 3) + 6);
  return (skewness ** 2 + 1) / (excess + (3 * (n - 1) ** 2) / ((n - 2) * (n - 3)));
}

/**
 * The k of y = c x^k that fits best: the slope of the straight line through the logarithms by least squares.
 *
 * @throws Error for fewer than two different x, or values that are not greater than 0.
 */
export function fitExponent(points: readonly (readonly [x: number, y: number])[]): number {
  const wrong = points.find(([x, y]) => !(x > 0 && y > 0));
  if (wrong) throw new Error(`Expected values greater than 0 to fit an exponent to, but got ${wrong.join(', ')}.`);
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  if (new Set(points.map(([x]) => x)).size < 2) {
    throw new Error(`Expected at least two different sizes to fit an exponent to, but got ${points.length} point(s).`);
  }
  const [meanX, meanY] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  const slope = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return slope / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
