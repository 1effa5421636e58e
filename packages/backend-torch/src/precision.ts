import { env } from '@tensorflow/tfjs-core';

export type Precision = 'float32' | 'bfloat16';

const FLAG = 'BFLOAT16_COMPUTE';

/** Makes the flag known to tf.env(); float32 until someone sets it. */
export function registerPrecisionFlag(): void {
  env().registerFlag(FLAG, () => false);
}

/**
 * Chooses how convolutions and matrix products compute: float32, or bfloat16 with float32 weights, sums and
 * weight gradients. Their outputs stay stored in bfloat16 while tfjs' dtype says float32. Sets the tfjs flag BFLOAT16_COMPUTE.
 *
 * @throws Error for any other name
 */
export function setPrecision(precision: Precision): void {
  if (precision !== 'float32' && precision !== 'bfloat16') {
    throw new Error(`Expected precision 'float32' or 'bfloat16', but got '${String(precision)}'.`);
  }
  env().set(FLAG, precision === 'bfloat16');
}

export function precision(): Precision {
  return computesInBfloat16() ? 'bfloat16' : 'float32';
}

export function computesInBfloat16(): boolean {
  return env().getBool(FLAG);
}
