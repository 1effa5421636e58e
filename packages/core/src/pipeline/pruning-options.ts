import type { BatchSource } from '../data.ts';
import type { ReadGraphOptions } from '../graph/channel-graph.ts';
import type { RankingOptions } from '../pruning/rank-by-share.ts';
import type { SelectionOptions } from '../pruning/select-filters.ts';
import type { Criterion } from '../scoring/criterion.ts';
import type { TrainingOptions } from '../training/train.ts';
import type { Checkpoint } from '../training/training-state.ts';
import type { KeepingOptions } from './accuracy-keeper.ts';
import type { AccuracyGuards } from './guards.ts';
import type { PruningState } from './pruning-state.ts';
import type { Target } from './target.ts';

/** What the loop needs to see; the test set is not among it. */
export interface PruningSources {
  readonly training: BatchSource;
  /** Taken from the training images, not augmented; for class-aware criteria the same number of each class. */
  readonly scoring: BatchSource;
  /** Held out of the training images: decides when the loop ends. */
  readonly validation: BatchSource;
}

/** The loop keeps and restores the states of its trainings itself. */
export type TuningOptions = Omit<TrainingOptions, 'checkpoint' | 'resume'>;

export interface PruningOptions extends KeepingOptions, AccuracyGuards {
  readonly criterion: Criterion;
  /** Which layers may lose filters, which are left alone, and whether coupled ones may. Default: that of `readGraph`. */
  readonly graph?: ReadGraphOptions;
  /** How scores become comparable, and what is made of those of coupled filters. */
  readonly ranking?: Pick<RankingOptions, 'combine' | 'normalise'>;
  /** For class-aware criteria, `threshold` is a share of the number of classes; default 0.3, as in the paper. */
  readonly selection: Omit<SelectionOptions, 'layerSizes'>;
  /** After every removal. */
  readonly fineTune: TuningOptions;
  /**
   * For the result: in place of the last `fineTune` when the target is reached, else after the loop. What it does after the
   * loop is taken back if it lowers the validation accuracy, or violates a guard.
   */
  readonly finalTune?: TuningOptions;
  /** The loop ends once it is reached; the last removal takes no more filters than that asks for. Default: none. */
  readonly target?: Target;
  readonly maxIterations?: number;
  /**
   * How often in all the loop may go back to the last good network when a guard is violated, and from there take a step half as large.
   * Default 2; with 0, the first violation ends it.
   */
  readonly smallerSteps?: number;
  /** Asked before every iteration, in every tuning and at the end whether to keep the state, for `resume`. */
  readonly checkpoint?: Checkpoint<PruningState>;
  /** Goes on from there; network, sources and other options have to be those that the state was taken with. */
  readonly resume?: PruningState | undefined;
}
