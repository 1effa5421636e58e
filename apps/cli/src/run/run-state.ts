import type { NamedValues, PruningState, TrainingState } from '@secateur/core';
import type { IterationReport } from './summary.ts';

/** Where a run is. While the first training lasts there is nothing but its state. */
export interface WorkState {
  /** The epoch of the training images that is under way, or the next one. */
  readonly epoch: number;
  readonly training?: TrainingState;
  /** Weights of the trained network, before any class or filter goes. */
  readonly trained?: NamedValues;
  readonly pruning?: PruningState;
  readonly iterations?: readonly IterationReport[];
}
