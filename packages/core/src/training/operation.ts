import type { Tensor, Variable } from '@tensorflow/tfjs-core';

/** 'scoring' is inference with the convolutions of kernels/scoring-convolution.ts. */
export type Mode = 'training' | 'inference' | 'scoring';

/** What a forward step hands to the walk. */
export interface Forward {
  readonly output: Tensor;
  /** Tensors that `backward` reads; the walk owns them and frees them after the backward step. */
  readonly saved: readonly Tensor[];
  /** New values of variables that training moves without a gradient (batch-norm statistics); the trainer assigns them. */
  readonly updates?: readonly VariableUpdate[];
  readonly backward: (dy: Tensor, wanted: Wanted) => Backward;
}

export interface VariableUpdate {
  readonly variable: Variable;
  readonly value: Tensor;
}

export interface Wanted {
  readonly inputs: boolean;
  readonly weights: boolean;
}

export interface Backward {
  /** One for each input of the operation; empty when not wanted. */
  readonly inputs: readonly Tensor[];
  /** One for each entry of `Operation.trainable`; empty when not wanted. */
  readonly weights: readonly Tensor[];
}

/** A trainable weight and the key under which optimiser state and gradients are filed: "layer/index of the weight". */
export interface TrainableWeight {
  readonly key: string;
  readonly variable: Variable;
  /** The kernel of a convolution ([h, w, in, out]) is what orthogonality regularises. */
  readonly role: 'convolution kernel' | 'kernel' | 'other';
}

/** What one layer (or several fused ones) computes. Holds no tensors of its own. */
export interface Operation {
  readonly trainable: readonly TrainableWeight[];
  /** Called inside a tidy: only the output and the saved tensors survive. Inputs stay the walk's. */
  forward(inputs: readonly Tensor[], mode: Mode): Forward;
}
