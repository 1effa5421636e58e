// Arguments: sound ones, and what a wrong program passes instead.
import type { Random } from './random.ts';

/** Sizes here are small or beyond every machine: what merely fills this one's memory is no mistake to refuse. */
const WRONG_NUMBERS = [
  -1,
  -2,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 42,
  2 ** 53,
  -(2 ** 53),
  2 ** 62,
  1e300,
];

export const wrongNumber = (random: Random): number => random.pick(WRONG_NUMBERS);

export const smallInteger = (random: Random): number => random.integer(-2, 8);

/** A list that is almost right. */
export function integers(random: Random, length = random.integer(0, 8)): unknown[] {
  const list: unknown[] = random.list(length, () => (random.chance(0.9) ? random.integer(0, 4) : smallInteger(random)));
  if (length > 0 && random.chance(0.2)) list[random.integer(0, length - 1)] = wrongNumber(random);
  return list;
}

const WRONG_KINDS: readonly ((random: Random) => unknown)[] = [
  wrongNumber,
  smallInteger,
  (random) => integers(random),
  () => null,
  () => undefined,
  () => '',
  () => 'relu',
  () => 'x'.repeat(100_000),
  () => ({}),
  () => [],
  () => [null],
  () => [[1], [2]],
  () => () => 0,
  () => Symbol('handle'),
  () => 1n,
  () => true,
  () => new Float32Array(3),
  () => new Float32Array(new SharedArrayBuffer(8)),
  () => new BigInt64Array(2),
  () => new DataView(new ArrayBuffer(8)),
  () => ({ length: 3, 0: 1, 1: 1, 2: 1 }),
  () => ({ valueOf: () => 1 }),
  () => throwing(),
];

export const wrongKind = (random: Random): unknown => random.pick(WRONG_KINDS)(random);

function throwing(): unknown {
  return new Proxy([1, 2], {
    get() {
      throw new Error('a getter threw');
    },
  });
}

export function detached(): Float32Array {
  const values = new Float32Array(6);
  structuredClone(values.buffer, { transfer: [values.buffer] });
  return values;
}

/** An argument as it would be typed, for the report. */
export function show(value: unknown): string {
  if (typeof value === 'string') return value.length > 40 ? `'${value.slice(0, 8)}' (${value.length})` : `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    if (Array.isArray(value)) return value.length > 40 ? `Array(${value.length})` : `[${value.map(show).join(', ')}]`;
    if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
    const entries = Object.entries(value).map(([key, entry]) => `${key}: ${show(entry)}`);
    return `{ ${entries.join(', ')} }`;
  } catch {
    return 'an object that throws';
  }
}
