// What a window that moves over an image may be, asked before any kernel loops over it: tfjs-backend-cpu would loop for ever.
interface WindowAttrs {
  readonly filterSize?: number | readonly number[];
  readonly strides: number | readonly number[];
  /** tfjs passes null for 1. */
  readonly dilations?: number | readonly number[] | null;
  readonly pad: unknown;
}

const LARGEST = 2 ** 31 - 1;

/** @throws Error unless the shapes are of rank 4, sizes, strides and dilations positive, and paddings not absurd */
export function checkWindow(
  shapes: readonly (readonly number[])[],
  { filterSize = 1, strides, dilations, pad }: WindowAttrs,
) {
  for (const shape of shapes) {
    if (shape.length !== 4 || !shape.every(isLength))
      throw new Error(`Expected four whole lengths, but got shape [${shape}].`);
  }
  checkSizes('filterSize', filterSize);
  checkSizes('strides', strides);
  checkSizes('dilations', dilations ?? 1);
  if (typeof pad === 'string') return;
  const paddings = [pad].flat(2);
  if (!paddings.every((padding) => typeof padding === 'number' && Math.abs(padding) <= LARGEST)) {
    throw new Error(`Expected pad 'same', 'valid', or numbers below 2^31, but got [${paddings.map(String)}].`);
  }
}

function checkSizes(role: string, sizes: number | readonly number[]): void {
  if (Array.isArray(sizes) ? sizes.length > 0 && sizes.every(isSize) : isSize(sizes as number)) return;
  throw new Error(`Expected positive integers for ${role}, but got [${[sizes].flat().map(String)}].`);
}

const isLength = (length: number) => Number.isInteger(length) && length >= 0 && length <= LARGEST;
const isSize = (size: number) => isLength(size) && size >= 1;
