const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/** The largest finite number of IEEE 754 half precision. */
export const LARGEST_FLOAT16 = 65504;

/** Half precision bits of a number, rounded to the nearest, ties to even; what is too large becomes infinite. */
export function toFloat16Bits(value: number): number {
  float32[0] = value;
  const bits = bits32[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent === 143) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent < -10) return sign;
  // Below the smallest exponent the leading one becomes explicit, and moves to the right.
  const [significand, dropped] =
    exponent > 0 ? [(exponent << 23) | fraction, 13] : [fraction | 0x800000, 14 - exponent];
  const half = significand >>> dropped;
  const rest = significand & ((1 << dropped) - 1);
  const middle = 1 << (dropped - 1);
  const roundsUp = rest > middle || (rest === middle && (half & 1) === 1);
  return sign | (half + (roundsUp ? 1 : 0));
}
