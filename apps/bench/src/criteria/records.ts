import type { Accuracy, Size } from '../network-study/recipe.ts';
import type { Setup } from './protocol.ts';

/** What a worker is asked for; it works in the folder of one seed. */
export type Task = { readonly setup: Setup; readonly seed: number; readonly folder: string; readonly data?: string } & (
  | { readonly kind: 'base' }
  | { readonly kind: 'pruned'; readonly criterion: string; readonly target: number }
);

/** The unpruned network. */
export interface BaseRecord extends Accuracy, Size {
  readonly seconds: number;
}

export interface PrunedRecord extends Accuracy, Size {
  /** Validation accuracy after each removal and its tuning. */
  readonly steps: readonly { readonly macs: number; readonly validation: number }[];
  readonly trainingSteps: number;
  readonly scoringSeconds: number;
}

/** One result, with what it is of. */
export interface Result extends PrunedRecord {
  readonly seed: number;
  readonly criterion: string;
  readonly target: number;
}
