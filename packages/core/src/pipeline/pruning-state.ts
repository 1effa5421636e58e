import type { LayersModel } from '@tensorflow/tfjs-layers';
import { applyPlan } from '../pruning/apply-plan.ts';
import { composePlans } from '../pruning/compose-plans.ts';
import type { PruningPlan } from '../pruning/pruning-plan.ts';
import type { Selection } from '../pruning/select-filters.ts';
import type { Evaluation } from '../training/evaluate.ts';
import { type NamedValues, writeWeights } from '../training/named-values.ts';
import type { TrainingState } from '../training/training-state.ts';
import type { GuardViolation } from './guards.ts';
import type { EndReason } from './pruning-events.ts';
import type { TargetState } from './target.ts';

/** A network of the loop: the unpruned one, cut by the plans one after the other. */
export interface NetworkState {
  readonly plans: readonly PruningPlan[];
  readonly target?: TargetState | undefined;
  readonly evaluation: Evaluation;
  /** Absent for the unpruned network, which stays the caller's. */
  readonly weights?: NamedValues;
  /** Of the optimiser, where tunings keep it. */
  readonly velocities: NamedValues;
}

/** A removal whose network is being tuned. */
export interface RemovalState {
  /** What could go, and what of it went: how many filters, and after how many stops. */
  readonly selection: Selection;
  readonly removed: number;
  readonly stops: number;
  readonly plans: readonly PruningPlan[];
  readonly target?: TargetState | undefined;
  readonly training: TrainingState;
}

/** How the loop ended, and how far what comes after it is. */
export interface EndingState {
  readonly reason: EndReason;
  readonly violation?: GuardViolation;
  /** Of the tuning after the loop, while it lasts. */
  readonly training?: TrainingState;
  /** Nothing is left to do. */
  readonly finished: boolean;
}

/**
 * Everything that the rest of a pruning loop depends on, as plain data and float32 arrays. With the unpruned network and
 * the same sources and options, `classAwarePruning` goes on from it to the same result, bit for bit.
 */
export interface PruningState {
  readonly baseline: { readonly evaluation: Evaluation; readonly target?: TargetState };
  /** The last network that passed all guards. */
  readonly best: NetworkState;
  readonly iteration: number;
  readonly rollbacks: number;
  /** Most filters that a step may take; absent while nothing limits it. */
  readonly maxFilters?: number;
  readonly removal?: RemovalState;
  readonly ending?: EndingState;
}

/**
 * Makes a network of the loop again.
 *
 * @returns The unpruned network itself where there are no plans; else the caller's to dispose.
 * @throws Error when plans or weights do not fit the network.
 */
export async function restoreNetwork(
  unpruned: LayersModel,
  { plans, weights }: Pick<NetworkState, 'plans' | 'weights'>,
): Promise<LayersModel> {
  if (plans.length === 0) return unpruned;
  const model = await applyPlan(unpruned, composePlans(plans));
  try {
    if (weights) writeWeights(model, weights);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
