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
