/** 1234567 -> '1,234,567' */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Three digits and a unit of a thousand, a million or a milliard: 78631424 -> '78.6 M' */
export function count(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= 0.9995 * size) return `${(value / size).toPrecision(3)} ${unit}`;
  }
  return whole(value);
}

/** 15300000 -> '15.3 MB' */
export function bytes(value: number): string {
  const text = count(value);
  return text.includes(' ') ? `${text}B` : `${text} B`;
}

/** A share: 0.5532 -> '55.3 %' */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** A change, with its sign; what rounds to zero has none: -0.0051 -> '-0.51' with two digits */
export function signed(value: number, digits = 1): string {
  const text = value.toFixed(digits);
  if (Number(text) === 0) return text.replace('-', '');
  return value > 0 ? `+${text}` : text;
}

/** Of accuracies: -0.0051 -> '-0.51 points' */
export function points(difference: number, digits = 2): string {
  return `${signed(100 * difference, digits)} points`;
}

/** What became of a quantity: (200, 50) -> '-75.0 %' */
export function change(before: number, after: number): string {
  return `${signed((100 * (after - before)) / before)} %`;
}

/** 62 -> '1:02', 3723 -> '1:02:03' */
export function duration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const pad = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

/** The same with its unit: 62 -> '1:02 min', 3723 -> '1:02:03 h' */
export function wallTime(seconds: number): string {
  return `${duration(seconds)} ${Math.round(seconds) >= 3600 ? 'h' : 'min'}`;
}

export function milliseconds(value: number): string {
  return `${value.toPrecision(3)} ms`;
}

const BLOCKS = '▁▂▃▄▅▆▇█';

/** One block for each value, the largest value full; a space stands for zero. */
export function sparkline(values: readonly number[]): string {
  const largest = Math.max(...values);
  return values.map((value) => (value <= 0 ? ' ' : BLOCKS[Math.ceil((value / largest) * BLOCKS.length) - 1]!)).join('');
}

/** A progress bar of `width` characters. */
export function bar(share: number, width = 20): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '━'.repeat(filled) + '─'.repeat(width - filled);
}
