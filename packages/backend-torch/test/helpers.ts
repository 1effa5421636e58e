import '@tensorflow/tfjs-backend-cpu';
// tfjs-core's Node bundle leaves out the gradients; tfjs-layers' registers them.
import '@tensorflow/tfjs-layers';
import '../src/index.ts';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

type Outputs = tf.Tensor | tf.Tensor[];

/** Reproducible values in [-scale, scale]. */
export function values(count: number, seed = 1, scale = 2): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (scale * state) / 2 ** 31;
  });
}

export function tensor<Shape extends number[]>(shape: [...Shape], seed = 1, scale = 2): tf.Tensor {
  return tf.tensor(values(tf.util.sizeFromShape(shape), seed, scale), shape);
}

export async function on<T>(backend: 'cpu' | 'torch', run: () => T): Promise<T> {
  await tf.setBackend(backend);
  return run();
}

interface Plain {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: ArrayLike<number>;
}

export async function evaluate(backend: 'cpu' | 'torch', run: () => Outputs): Promise<Plain[]> {
  return on(backend, () => {
    const plain: Plain[] = [];
    tf.tidy(() => {
      for (const output of [run()].flat()) {
        plain.push({ shape: output.shape, dtype: output.dtype, values: Array.from(output.dataSync()) });
      }
    });
    return plain;
  });
}

/** Runs the same program on tfjs-backend-cpu and on torch and compares shape, dtype and every value. */
export async function expectAgreement(run: () => Outputs, tolerance = 1e-5): Promise<void> {
  const expected = await evaluate('cpu', run);
  const actual = await evaluate('torch', run);
  expect(actual.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  );
  expected.forEach((output, i) => {
    expectClose(actual[i]!.values, output.values, tolerance);
  });
}

/** Every value within `tolerance`, relative above 1. NaN and infinities must match exactly. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i]!;
    const e = expected[i]!;
    const matches = Object.is(a, e) || a === e || Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e));
    if (!matches) expect.fail(`value ${i}: got ${a}, expected ${e} within ${tolerance}`);
  }
}

/** A kernel called by name, as a trainer does. */
export function runKernel(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attrs: Record<string, number | boolean | string> = {},
): tf.Tensor[] {
  return [tf.engine().runKernel(name, inputs, attrs)].flat() as tf.Tensor[];
}
