import { env } from '@tensorflow/tfjs-core';
import type { Binding } from './binding.ts';

export type Precision = 'float32' | 'tf32' | 'bfloat16';

const BFLOAT16 = 'BFLOAT16_COMPUTE';
const TF32 = 'TF32_COMPUTE';

/** Makes the flags known to tf.env(); float32 until someone sets one. */
export function registerPrecisionFlags(native: Binding): void {
  env().registerFlag(BFLOAT16, () => false);
  env().registerFlag(
    TF32,
    () => false,
    (allowed) => native.allowTf32(allowed === true),
  );
  // libtorch itself starts with TF32 for convolutions.
  native.allowTf32(false);
}

/**
 * Chooses how convolutions and matrix products compute: 'float32'; 'bfloat16' with float32 weights, sums and weight gradients, whose outputs
 * stay stored in bfloat16 while tfjs' dtype says float32; or 'tf32', where GPUs round the factors of float32 products to ten bits, and
 * which is float32 on the processor. Sets the tfjs flags BFLOAT16_COMPUTE and TF32_COMPUTE.
 *
 * @throws Error for any other name
 */
export function setPrecision(precision: Precision): void {
  if (precision !== 'float32' && precision !== 'tf32' && precision !== 'bfloat16') {
    throw new Error(`Expected precision 'float32', 'tf32' or 'bfloat16', but got '${String(precision)}'.`);
  }
  env().set(BFLOAT16, precision === 'bfloat16');
  env().set(TF32, precision === 'tf32');
}

export function precision(): Precision {
  if (computesInBfloat16()) return 'bfloat16';
  return env().getBool(TF32) ? 'tf32' : 'float32';
}

export function computesInBfloat16(): boolean {
  return env().getBool(BFLOAT16);
}
