import type { LayersModel } from '@tensorflow/tfjs-layers';
import { countCost, type NetworkCost } from '../cost/count-cost.ts';
import type { BatchSource } from '../data.ts';
import { readGraph } from '../graph/channel-graph.ts';
import type { PruningPlan } from '../pruning/pruning-plan.ts';
import { rankByShare } from '../pruning/rank-by-share.ts';
import { type Selection, type SelectionOptions, selectFilters } from '../pruning/select-filters.ts';
import type { Criterion, LayerScores } from '../scoring/criterion.ts';
import { scoreFilters } from '../scoring/score-filters.ts';
import { type Evaluation, evaluate } from '../training/evaluate.ts';
import type { TrainingEvent, TrainingOptions } from '../training/train.ts';
import { snapshotWeights } from '../training/weight-snapshot.ts';
import { AccuracyKeeper, type KeepingOptions } from './accuracy-keeper.ts';
import { pruneUpTo } from './prune-up-to.ts';

/** What the loop needs to see; the test set is not among it. */
export interface PruningSources {
  readonly training: BatchSource;
  /** The same number of images of each class, taken from the training images, not augmented. */
  readonly scoring: BatchSource;
  /** Held out of the training images: decides when the loop ends. */
  readonly validation: BatchSource;
}

export interface PruningOptions extends KeepingOptions {
  readonly criterion: Criterion;
  /** `threshold` is a share of the number of classes; the paper uses 0.3. */
  readonly selection: SelectionOptions;
  /** After every removal. */
  readonly fineTune: TrainingOptions;
  /**
   * For the result: in place of the last `fineTune` when the target is reached, else after the loop. What it does after the
   * loop is taken back if it lowers the validation accuracy.
   */
  readonly finalTune?: TrainingOptions;
  /** How far the validation accuracy may fall below the unpruned network's, as a share of the images (0.01 is one point). */
  readonly tolerance: number;
  /** The loop ends once this share of the MACs is gone; its last removal takes no more filters than that asks for. */
  readonly targetMacs?: number;
  readonly maxIterations?: number;
}

/** 'nothing left to remove': the caps of the selection, or what every layer keeps, allow no more. */
export type EndReason =
  | 'target reached'
  | 'nothing below the threshold'
  | 'nothing left to remove'
  | 'tolerance exceeded'
  | 'iteration limit';

export type PruningEvent =
  | { readonly type: 'baseline'; readonly evaluation: Evaluation; readonly cost: NetworkCost }
  | { readonly type: 'scored'; readonly iteration: number; readonly scores: readonly LayerScores[] }
  | {
      readonly type: 'pruned';
      readonly iteration: number;
      /** Its scores are shares of the classes, as the threshold is. */
      readonly selection: Selection;
      readonly plan: PruningPlan;
      readonly cost: NetworkCost;
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
      readonly withinTolerance: boolean;
      /** Stays the loop's: read it before asking for the next event. */
      readonly model: LayersModel;
    }
  | { readonly type: 'finished'; readonly result: PruningResult };

export interface PruningResult {
  /** The caller's to dispose; the unpruned model itself when nothing could be removed. */
  readonly model: LayersModel;
  readonly reason: EndReason;
  /** Removals that led to the model, in order; each refers to the network that the one before left. */
  readonly plans: readonly PruningPlan[];
  /** On the validation images. */
  readonly evaluation: Evaluation;
  readonly cost: NetworkCost;
}

interface Candidate {
  readonly model: LayersModel;
  readonly plans: readonly PruningPlan[];
  readonly evaluation: Evaluation;
  readonly cost: NetworkCost;
}

/**
 * The loop of arXiv 2312.05875, section III: score, select, remove, fine-tune, evaluate, and again. It ends when no filter
 * can go, the target is reached, or the accuracy is out of tolerance: then the last network within it is the result.
 *
 * @param model A trained network; stays the caller's and is not changed.
 */
export async function* classAwarePruning(
  model: LayersModel,
  sources: PruningSources,
  options: PruningOptions,
): AsyncGenerator<PruningEvent, PruningResult> {
  const { criterion, tolerance, targetMacs = 1, maxIterations = Number.POSITIVE_INFINITY, finalTune } = options;
  const selectionOptions = { ...options.selection, threshold: options.selection.threshold ?? 0.3 };
  const baseline = { evaluation: await evaluate(model, sources.validation), cost: countCost(model) };
  yield { type: 'baseline', ...baseline };

  let best: Candidate = { model, plans: [], ...baseline };
  let current = best;
  let tuned = false;
  const keeper = new AccuracyKeeper(model, sources.training, options);
  const release = (candidate: Candidate) => {
    keeper.forget(candidate.model);
    if (candidate.model !== model) candidate.model.dispose();
  };
  const isTargetReached = (cost: NetworkCost) => cost.macs <= (1 - targetMacs) * baseline.cost.macs;

  const loop = async function* (): AsyncGenerator<PruningEvent, EndReason> {
    for (let iteration = 1; iteration <= maxIterations; iteration++) {
      const graph = readGraph(current.model);
      const scores = await scoreFilters(current.model, sources.scoring, { criterion });
      yield { type: 'scored', iteration, scores };

      const prunable = new Set(graph.groups.flatMap(({ producers }) => producers));
      const rankings = rankByShare(scores.filter(({ layer }) => prunable.has(layer)));
      const selection = selectFilters(rankings, selectionOptions);
      if (selection.removed.length === 0) {
        const noneBelow = selection.strategy !== 'percentage' && selection.candidates.length === 0;
        return noneBelow ? 'nothing below the threshold' : 'nothing left to remove';
      }

      const removal = await pruneUpTo(current.model, selection, { graph, isEnough: isTargetReached });
      const { plan, cost, model: pruned } = removal;
      const former = current;
      current = { ...current, model: pruned, plans: [...current.plans, plan], cost };
      await keeper.carryOver(former.model, pruned, { graph, plan, ...options.fineTune });
      if (former !== best) release(former);
      yield { type: 'pruned', iteration, selection: removal.selection, plan, cost };

      const targetReached = isTargetReached(current.cost);
      const isFinal = targetReached && finalTune !== undefined;
      const phase = isFinal ? 'final-tune' : 'fine-tune';
      for await (const event of keeper.tune(pruned, isFinal ? finalTune : options.fineTune)) {
        yield { type: 'training', phase, iteration, event };
      }
      const evaluation = await evaluate(pruned, sources.validation);
      current = { ...current, evaluation };
      const withinTolerance = evaluation.accuracy >= baseline.evaluation.accuracy - tolerance;
      yield { type: 'evaluated', iteration, evaluation, cost: current.cost, withinTolerance, model: pruned };
      if (!withinTolerance) return 'tolerance exceeded';
      if (best !== current) release(best);
      best = current;
      tuned = isFinal;
      if (targetReached) return 'target reached';
    }
    return 'iteration limit';
  };

  let finished = false;
  try {
    const reason = yield* loop();
    if (current !== best) release(current);
    current = best;
    if (finalTune && !tuned && best.model !== model) {
      const untuned = snapshotWeights(best.model);
      try {
        for await (const event of keeper.tune(best.model, finalTune)) {
          yield { type: 'training', phase: 'final-tune', iteration: best.plans.length, event };
        }
        const evaluation = await evaluate(best.model, sources.validation);
        if (evaluation.accuracy >= best.evaluation.accuracy) best = { ...best, evaluation };
        else untuned.restore();
      } finally {
        untuned.dispose();
      }
    }
    const result = { ...best, reason };
    finished = true;
    yield { type: 'finished', result };
    return result;
  } finally {
    keeper.dispose();
    if (!finished) {
      release(best);
      if (current.model !== best.model) release(current);
    }
  }
}
