import { env } from '@tensorflow/tfjs-core';

/**
 * What convolutions and matrix products multiply in, those of the orthogonality term among them. Weights, statistics and
 * the cross entropy are always float32.
 */
export type Precision = 'float32' | 'bfloat16';

const FLAG = 'BFLOAT16_COMPUTE';

/**
 * Sets the precision for the engine's convolutions and matrix products from here on and returns a function that puts the
 * former one back. Engines without bfloat16 do not read the flag and stay at float32.
 */
export function usePrecision(precision: Precision): () => void {
  registerOnce();
  const before = env().getBool(FLAG);
  env().set(FLAG, precision === 'bfloat16');
  return () => env().set(FLAG, before);
}

function registerOnce(): void {
  try {
    env().getBool(FLAG);
  } catch {
    env().registerFlag(FLAG, () => false);
  }
}
