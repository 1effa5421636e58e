import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { NetworkCost } from '../cost/count-cost.ts';
import type { PruningPlan } from '../pruning/pruning-plan.ts';
import type { Selection } from '../pruning/select-filters.ts';
import type { LayerScores } from '../scoring/criterion.ts';
import type { Evaluation } from '../training/evaluate.ts';
import type { TrainingEvent } from '../training/train.ts';
import type { AccuracyGuards, GuardViolation } from './guards.ts';
import type { TargetState } from './target.ts';

/**
 * What ended the loop. 'nothing left to remove': the caps of the selection, or what every layer keeps, allow no more. The three of
 * guards: no step that was tried passed that guard.
 */
export type EndReason =
  | 'target reached'
  | 'nothing below the threshold'
  | 'nothing left to remove'
  | 'iteration limit'
  | GuardReason;

export type GuardReason = 'tolerance exceeded' | 'class tolerance exceeded' | 'class below its floor';

export const GUARD_REASONS: Readonly<Record<keyof AccuracyGuards, GuardReason>> = {
  tolerance: 'tolerance exceeded',
  classTolerance: 'class tolerance exceeded',
  classFloor: 'class below its floor',
};

/**
 * Iterations count from 1. After 'rolled-back' an iteration goes on with another 'pruned'. 'resumed' comes first, in place of
 * 'baseline', when the loop goes on from a state; it tells what the unpruned network was, and which iteration is under way.
 */
export type PruningEvent =
  | {
      readonly type: 'resumed';
      readonly iteration: number;
      readonly evaluation: Evaluation;
      readonly cost: NetworkCost;
      readonly target?: TargetState;
    }
  | {
      readonly type: 'baseline';
      readonly evaluation: Evaluation;
      readonly cost: NetworkCost;
      readonly target?: TargetState;
    }
  | { readonly type: 'scored'; readonly iteration: number; readonly scores: readonly LayerScores[] }
  | {
      readonly type: 'pruned';
      readonly iteration: number;
      /** Its scores are shares, as the threshold is. */
      readonly selection: Selection;
      readonly plan: PruningPlan;
      readonly cost: NetworkCost;
      readonly target?: TargetState;
    }
  | {
      readonly type: 'training';
      readonly phase: 'fine-tune' | 'final-tune';
      readonly iteration: number;
      readonly event: TrainingEvent;
    }
  | {
      readonly type: 'evaluated';
      readonly iteration: number;
      readonly evaluation: Evaluation;
      readonly cost: NetworkCost;
      /** Whether it passes all guards, not only that of the overall accuracy. */
      readonly withinTolerance: boolean;
      readonly violation?: GuardViolation;
      /** Stays the loop's: read it before asking for the next event. */
      readonly model: LayersModel;
    }
  | {
      readonly type: 'rolled-back';
      readonly iteration: number;
      readonly violation: GuardViolation;
      /** The last good network, with which the loop goes on. */
      readonly cost: NetworkCost;
      /** Most filters that a step takes from now on. */
      readonly maxFilters: number;
    }
  | { readonly type: 'finished'; readonly result: PruningResult };

export interface PruningResult {
  /** The caller's to dispose; the unpruned model itself when nothing could be removed. */
  readonly model: LayersModel;
  readonly reason: EndReason;
  /** Where a guard ended the loop: what it found. */
  readonly violation?: GuardViolation;
  /** Of the model, where there is a target. */
  readonly target?: TargetState;
  /** Removals that led to the model, in order; each refers to the network that the one before left. */
  readonly plans: readonly PruningPlan[];
  /** On the validation images. */
  readonly evaluation: Evaluation;
  readonly cost: NetworkCost;
}
