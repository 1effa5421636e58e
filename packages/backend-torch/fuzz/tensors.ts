// Tensors described by a few plain values, so that a counterexample is short, shrinks well and can be typed in again.
import * as tf from '@tensorflow/tfjs-core';

export type Dtype = 'float32' | 'int32' | 'bool';

/** Which values a tensor holds: see VALUES. */
export type Fill = 'ordinary' | 'special' | 'ties' | 'positive' | 'unit';

/** How the values come into memory on the torch backend: as written, or as what another kernel left. */
export type Layout = 'plain' | 'reshaped' | 'transposed' | 'sliced' | 'filter';

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly fill: Fill;
  readonly seed: number;
  readonly layout: Layout;
}

const SPECIAL = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 7, -30, 40, 1e-10, 1e10, -1e10, NaN, Infinity, -Infinity];

/** From a uniform number in [0, 1) and one more for a choice. */
const VALUES: Readonly<Record<Fill, (uniform: number, choice: number) => number>> = {
  ordinary: (uniform) => 6 * uniform - 3,
  special: (uniform, choice) =>
    choice < 0.5 ? SPECIAL[Math.floor(choice * 2 * SPECIAL.length)]! : VALUES.ordinary(uniform, choice),
  ties: (uniform) => Math.floor(5 * uniform) - 2,
  positive: (uniform) => 0.1 + 3 * uniform,
  unit: (uniform) => 1.9 * uniform - 0.95,
};

export function valuesOf({ shape, dtype, fill, seed }: TensorSpec): Float32Array | Int32Array | Uint8Array {
  const next = uniformNumbers(seed);
  const size = tf.util.sizeFromShape([...shape]);
  const one = () => VALUES[fill](next(), next());
  if (dtype === 'bool') return Uint8Array.from({ length: size }, () => (next() < 0.5 ? 0 : 1));
  if (dtype === 'int32') return Int32Array.from({ length: size }, () => Math.trunc(5 * finite(one())));
  return Float32Array.from({ length: size }, one);
}

/** The tensor on the current backend. */
export function make(spec: TensorSpec): tf.Tensor {
  const { dtype, layout } = spec;
  const shape = [...spec.shape];
  const values = valuesOf(spec);
  const plain = () => tf.tensor(values, shape, dtype);
  if (layout === 'reshaped') return tf.reshape(tf.tensor1d(values, dtype), shape);
  if (layout === 'transposed') return tf.transpose(tf.transpose(plain()));
  if (layout === 'sliced' && shape.length > 0) return tf.unstack(tf.stack([plain(), tf.zerosLike(plain())]))[0]!;
  if (layout === 'filter' && shape.length === 4 && dtype === 'float32' && tf.getBackend() === 'torch') {
    return inFilterLayout(plain());
  }
  return plain();
}

/** The optimiser leaves filters with the output channel first in memory: strides unlike those of any plain tensor. */
function inFilterLayout(weight: tf.Tensor): tf.Tensor {
  const still = { learningRate: 0, momentum: 0, weightDecay: 0, l1: 0, penalty: 0 };
  const inputs = { weight, velocity: tf.zerosLike(weight), gradient: tf.zerosLike(weight) };
  const [settled] = tf.engine().runKernel('SgdMomentumUpdate', inputs, still) as unknown as tf.Tensor[];
  return settled!;
}

/** Mulberry32: uniform in [0, 1). */
export function uniformNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const finite = (x: number) => (Number.isFinite(x) ? Math.max(-1000, Math.min(1000, x)) : 0);
