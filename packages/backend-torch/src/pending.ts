import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Handle } from './binding.ts';

/** A tensor that is computed when it is first read, so that what comes after it can be folded in. */
export interface Pending {
  compute(): Handle;
  /** Called once, when it was computed or is not needed any more. */
  release(): void;
  /** For a profile: what `compute` did. */
  readonly work: DeferredWork;
}

export interface DeferredWork {
  /** The kernel that was put off, then those that were folded into it. */
  readonly kernels: readonly [string, ...string[]];
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly bytes: number;
}
