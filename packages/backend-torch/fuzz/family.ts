import type * as tf from '@tensorflow/tfjs-core';
import type fc from 'fast-check';
import type { TensorSpec } from './tensors.ts';

/** A drawn case: plain data, so that it prints as what to type in to see it again. */
export interface Case<Options = unknown> {
  readonly inputs: readonly TensorSpec[];
  readonly options: Options;
}

/** Operations that are called alike, how to draw a call, and how to make it. */
export interface Family<Options = unknown> {
  readonly name: string;
  readonly cases: fc.Arbitrary<Case<Options>>;
  readonly run: (inputs: tf.Tensor[], options: Options) => tf.Tensor | tf.Tensor[];
  /** Whether the gradients of the first output with respect to all inputs are compared too. */
  readonly hasGradient: (drawn: Case<Options>) => boolean;
  /** Relative above 1, absolute below. */
  readonly tolerance: number;
}

interface Definition<Options> {
  readonly cases: fc.Arbitrary<Case<Options>>;
  readonly run: Family<Options>['run'];
  readonly hasGradient?: boolean | Family<Options>['hasGradient'];
  readonly tolerance?: number;
}

export function family<Options>(name: string, definition: Definition<Options>): Family {
  const { cases, run, hasGradient = false, tolerance = 1e-5 } = definition;
  const wanted = typeof hasGradient === 'function' ? hasGradient : () => hasGradient;
  const isFloat = ({ inputs }: Case<Options>) => inputs.every(({ dtype }) => dtype === 'float32');
  return {
    name,
    cases,
    run,
    hasGradient: (drawn) => wanted(drawn) && isFloat(drawn),
    tolerance,
  } satisfies Family<Options> as unknown as Family;
}
