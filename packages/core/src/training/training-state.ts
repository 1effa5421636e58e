import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type NamedValues, writeWeights } from './named-values.ts';
import { checkFits, type OptimiserState } from './optimiser-state.ts';
import type { Program } from './program.ts';
import { snapshotWeights, type WeightSnapshot } from './weight-snapshot.ts';

/** Sums over the part of an epoch that is done. */
export interface EpochTotals {
  images: number;
  labels: number;
  loss: number;
  crossEntropy: number;
  correct: number;
  milliseconds: number;
}

/**
 * Everything that the next step of a training depends on, as plain data and float32 arrays: whoever stores it exactly and
 * hands it to `train` again gets the weights, bit for bit, of a training that was never interrupted. The learning rate, the
 * order and augmentation of the images and the masks of dropout follow from the position.
 */
export interface TrainingState {
  /** The epoch under way, from 0, and how many of its batches are done. */
  readonly epoch: number;
  readonly batch: number;
  /** Steps done over the whole training. */
  readonly step: number;
  readonly totals: Readonly<EpochTotals>;
  readonly weights: NamedValues;
  readonly velocities: NamedValues;
  /** The weights that the model goes back to when a loss is not finite. */
  readonly lastGood: NamedValues;
}

/**
 * Asked at each point from which the work could be taken up again, and awaited; `capture` copies the state as it then is.
 * What it throws ends the work. A 'phase' begins at its point: much would be lost without keeping that state.
 */
export type Checkpoint<State> = (capture: () => State, moment: 'phase' | 'step') => void | Promise<void>;

export function emptyTotals(): EpochTotals {
  return { images: 0, labels: 0, loss: 0, crossEntropy: 0, correct: 0, milliseconds: 0 };
}

/**
 * Brings weights, velocities and dropout to where they were.
 *
 * @returns The weights to go back to.
 * @throws Error when the state was taken from another model; nothing has changed then.
 */
export function restoreTraining(
  state: TrainingState,
  { model, program, optimiser }: { model: LayersModel; program: Program; optimiser: OptimiserState },
): WeightSnapshot {
  checkFits(state.velocities, program.trainable);
  writeWeights(model, state.lastGood);
  const lastGood = snapshotWeights(model);
  writeWeights(model, state.weights);
  optimiser.restore(state.velocities);
  for (const { operation } of program.steps) operation.startAt?.(state.step);
  return lastGood;
}
