export interface NetworkOptions {
  /** Number of classes, 2 or more. Default 10. */
  readonly classes?: number;
  /** Factor on the width of every layer but the last; widths are rounded, and never below 1. Default 1. */
  readonly width?: number;
  /** [height, width, channels] of one image. Default [32, 32, 3]. */
  readonly inputShape?: readonly [height: number, width: number, channels: number];
  /** Seed of the initial weights, an integer from 0 to 2^32 - 1: the same seed gives the same weights. Default 0. */
  readonly seed?: number;
}

/** Fills in the defaults and checks every value; `builder` and `minimumSize` (pixels) serve the messages. */
export function resolveOptions(
  options: NetworkOptions,
  builder: string,
  minimumSize: number,
): Required<NetworkOptions> {
  const { classes = 10, width = 1, inputShape = [32, 32, 3], seed = 0 } = options;
  const reject = (name: string, expected: string, value: unknown) => rejectOption(builder, name, expected, value);
  if (!Number.isInteger(classes) || classes < 2) reject('classes', 'an integer of at least 2', classes);
  if (!Number.isFinite(width) || width <= 0) reject('width', 'a positive finite factor, for example 0.5', width);
  if (!Array.isArray(inputShape) || inputShape.length !== 3 || !inputShape.every((n) => Number.isInteger(n) && n > 0)) {
    reject('inputShape', '[height, width, channels], three positive integers', inputShape);
  }
  if (inputShape[0] < minimumSize || inputShape[1] < minimumSize) {
    reject('inputShape', `at least ${minimumSize} x ${minimumSize} pixels, as the network halves its maps`, inputShape);
  }
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    reject('seed', 'an integer from 0 to 4294967295', seed);
  }
  return { classes, width, inputShape, seed };
}

export function rejectOption(builder: string, name: string, expected: string, value: unknown): never {
  throw new Error(`${builder}: ${name} must be ${expected}, got ${JSON.stringify(value) ?? String(value)}.`);
}

export function scaleWidth(channels: number, width: number): number {
  return Math.max(1, Math.round(channels * width));
}
