/** Of a share: 0.5 is '50.00 %'. */
export function percent(share: number): string {
  return `${points(share)} %`;
}

/** The same without its sign. */
export function points(share: number): string {
  return (100 * share).toFixed(2);
}

/** In points, with plus or minus. */
export function signed(share: number): string {
  return `${share >= 0 ? '+' : '-'}${points(Math.abs(share))}`;
}

/** Behind a mean: how far seeds lie apart, where there are several. */
export function deviation(standardDeviation: number | undefined, shown = points): string {
  return standardDeviation === undefined ? '' : ` ± ${shown(standardDeviation)}`;
}

/** Three significant digits. */
export function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '-';
}

/** Whole ones, without the unit. */
export function mebibytes(bytes: number): string {
  return String(Math.round(bytes / 2 ** 20));
}
