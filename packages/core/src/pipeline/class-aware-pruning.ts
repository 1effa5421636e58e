import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkCount } from '../check-option.ts';
import { countCost } from '../cost/count-cost.ts';
import { type ChannelGraph, readGraph } from '../graph/channel-graph.ts';
import { rankByShare } from '../pruning/rank-by-share.ts';
import { type Selection, selectFilters } from '../pruning/select-filters.ts';
import { isClassAware, type LayerScores } from '../scoring/criterion.ts';
import { scoreFilters } from '../scoring/score-filters.ts';
import { type Evaluation, evaluate } from '../training/evaluate.ts';
import { readWeights } from '../training/named-values.ts';
import { snapshotWeights } from '../training/weight-snapshot.ts';
import { AccuracyKeeper } from './accuracy-keeper.ts';
import { checkGuards, findViolation } from './guards.ts';
import { atMostFilters, pruneUpTo } from './prune-up-to.ts';
import { GUARD_REASONS, type PruningEvent, type PruningResult } from './pruning-events.ts';
import type { PruningOptions, PruningSources } from './pruning-options.ts';
import { type EndingState, type PruningState, type RemovalState, restoreNetwork } from './pruning-state.ts';
import { createGauge, isReached } from './target.ts';

type Candidate = Omit<PruningResult, 'reason' | 'violation'>;
type Ending = Pick<PruningResult, 'reason' | 'violation'>;

/**
 * The loop of arXiv 2312.05875, section III: score, select, remove, fine-tune, evaluate, and again. It ends when no filter
 * can go, the target is reached, or a guard is violated: then the last network that passed all guards is the result, after
 * as many smaller steps from there as the options allow.
 *
 * @param model A trained network; stays the caller's and is not changed.
 * @throws Error when an option is out of range, the criterion does not fit the network, or the state to go on from was
 *   taken from another one.
 */
export async function* classAwarePruning(
  model: LayersModel,
  sources: PruningSources,
  options: PruningOptions,
): AsyncGenerator<PruningEvent, PruningResult> {
  const { maxIterations = Number.POSITIVE_INFINITY, smallerSteps = 2, finalTune, checkpoint, resume } = options;
  checkGuards(options);
  checkCount('smallerSteps', smallerSteps, 0);
  if (maxIterations !== Number.POSITIVE_INFINITY) checkCount('maxIterations', maxIterations);
  const cost = countCost(model);
  const gauge = options.target && (await createGauge(options.target, { model, cost }, resume?.baseline.target));
  const evaluation = resume?.baseline.evaluation ?? (await evaluate(model, sources.validation));
  const baseline = { evaluation, cost, ...(gauge && { target: gauge.unpruned }) };

  /** The last network that passed all guards, and the one that is being made from it. */
  let best: Candidate = { model, plans: [], ...baseline };
  let next: Candidate | undefined;
  let { iteration, rollbacks, maxFilters = Number.POSITIVE_INFINITY }: Position = resume ?? START;
  /** What to go on with inside an iteration; gone once that has begun. */
  let pending = resume?.removal;
  let ending: Omit<EndingState, 'training'> | undefined = resume?.ending;
  let tuned = false;
  const keeper = new AccuracyKeeper(model, sources.training, options);
  const release = (candidate: Candidate) => {
    keeper.forget(candidate.model);
    if (candidate.model !== model) candidate.model.dispose();
  };
  const violationIn = (evaluation: Evaluation) =>
    findViolation(evaluation, { unpruned: baseline.evaluation, guards: options });

  const capture = (
    work: Pick<PruningState, 'removal' | 'ending'> = {},
    weights = () => readWeights(best.model),
  ): PruningState => ({
    baseline: { evaluation, ...(gauge && { target: gauge.unpruned }) },
    best: {
      plans: best.plans,
      target: best.target,
      evaluation: best.evaluation,
      ...(best.model !== model && { weights: weights() }),
      velocities: keeper.momentumOf(best.model),
    },
    iteration,
    rollbacks,
    ...(Number.isFinite(maxFilters) && { maxFilters }),
    ...work,
  });

  const loop = async function* (): AsyncGenerator<PruningEvent, Ending> {
    const before = violationIn(evaluation);
    if (before?.guard === 'classFloor') return { reason: GUARD_REASONS.classFloor, violation: before };
    if (gauge && isReached(gauge.unpruned)) return { reason: 'target reached' };
    for (; iteration <= maxIterations; iteration++) {
      const graph = readGraph(best.model, options.graph);
      let selection = pending?.selection;
      if (!selection) {
        await checkpoint?.(() => capture(), 'phase');
        const scores = await score(best.model, graph, { sources, options });
        yield { type: 'scored', iteration, scores };
        selection = select(scores, graph, options);
      }
      if (selection.removed.length === 0) {
        const noneBelow = selection.strategy !== 'percentage' && selection.candidates.length === 0;
        return { reason: noneBelow ? 'nothing below the threshold' : 'nothing left to remove' };
      }

      for (;;) {
        let removal: Omit<RemovalState, 'training'>;
        if (pending) {
          removal = pending;
          const { plans, target } = pending;
          const cut = await restoreNetwork(model, { plans });
          next = { ...best, model: cut, cost: countCost(cut), plans, ...(target && { target }) };
        } else {
          const {
            selection: taken,
            plan,
            ...pruned
          } = await pruneUpTo(best.model, atMostFilters(selection, maxFilters), { graph, gauge });
          next = { ...best, ...pruned, plans: [...best.plans, plan] };
          await keeper.carryOver(best.model, next.model, { graph, plan, ...options.fineTune });
          const { cost, target, plans } = next;
          removal = { selection, removed: taken.removed.length, stops: taken.stops.length, plans, target };
          yield { type: 'pruned', iteration, selection: taken, plan, cost, ...(target && { target }) };
        }

        const { cost, target } = next;
        const targetReached = target !== undefined && isReached(target);
        const isFinal = targetReached && finalTune !== undefined;
        const phase = isFinal ? 'final-tune' : 'fine-tune';
        const tuning = keeper.tune(next.model, isFinal ? finalTune : options.fineTune, {
          resume: pending?.training,
          ...(checkpoint && {
            checkpoint: (training, moment) =>
              checkpoint(() => capture({ removal: { ...removal, training: training() } }), moment),
          }),
        });
        pending = undefined;
        for await (const event of tuning) yield { type: 'training', phase, iteration, event };
        const evaluation = await evaluate(next.model, sources.validation);
        next = { ...next, evaluation };
        const violation = violationIn(evaluation);
        const verdict = { withinTolerance: !violation, ...(violation && { violation }) };
        yield { type: 'evaluated', iteration, evaluation, cost, ...verdict, model: next.model };
        if (!violation) {
          release(best);
          best = next;
          next = undefined;
          tuned = isFinal;
          if (targetReached) return { reason: 'target reached' };
          break;
        }
        const isSmallest = removal.stops === 1;
        if (rollbacks === smallerSteps || isSmallest) return { reason: GUARD_REASONS[violation.guard], violation };
        rollbacks++;
        maxFilters = Math.floor(removal.removed / 2);
        release(next);
        next = undefined;
        yield { type: 'rolled-back', iteration, violation, cost: best.cost, maxFilters };
      }
    }
    return { reason: 'iteration limit' };
  };
  let finished = false;
  try {
    if (resume) {
      const { plans, evaluation, target, weights, velocities } = resume.best;
      const restored = await restoreNetwork(model, { plans, ...(weights && { weights }) });
      best = { model: restored, plans, evaluation, cost: countCost(restored), ...(target && { target }) };
      keeper.restoreMomentum(restored, velocities);
      yield { type: 'resumed', iteration, ...baseline };
    } else {
      yield { type: 'baseline', ...baseline };
    }
    if (!ending) {
      const found = yield* loop();
      if (next) release(next);
      next = undefined;
      ending = { ...found, finished: tuned || !finalTune || best.model === model };
    }
    const { finished: done, reason, violation } = ending;
    const end: Ending = { reason, ...(violation && { violation }) };
    if (!done && finalTune) {
      const untuned = snapshotWeights(best.model);
      const tuning = keeper.tune(best.model, finalTune, {
        resume: resume?.ending?.training,
        ...(checkpoint && {
          checkpoint: (training, moment) => {
            const state = () => ({ ending: { ...end, training: training(), finished: false } });
            return checkpoint(() => capture(state(), untuned.read), moment);
          },
        }),
      });
      try {
        for await (const event of tuning) {
          yield { type: 'training', phase: 'final-tune', iteration: best.plans.length, event };
        }
        const evaluation = await evaluate(best.model, sources.validation);
        const isBetter = evaluation.accuracy >= best.evaluation.accuracy && !violationIn(evaluation);
        if (isBetter) best = { ...best, evaluation };
        else untuned.restore();
      } finally {
        untuned.dispose();
      }
    }
    await checkpoint?.(() => capture({ ending: { ...end, finished: true } }), 'phase');
    const result = { ...best, ...end };
    finished = true;
    yield { type: 'finished', result };
    return result;
  } finally {
    keeper.dispose();
    if (!finished) {
      release(best);
      if (next) release(next);
    }
  }
}

type Position = Pick<PruningState, 'iteration' | 'rollbacks' | 'maxFilters'>;

const START: Position = { iteration: 1, rollbacks: 0 };

/** The layers that may lose filters; with classes also the other convolutions, for whoever wants to see what they serve. */
async function score(
  model: LayersModel,
  { groups, nodes }: ChannelGraph,
  { sources, options: { criterion } }: { readonly sources: PruningSources; readonly options: PruningOptions },
): Promise<LayerScores[]> {
  const convolutions = isClassAware(criterion) ? nodes.filter(({ className }) => className === 'Conv2D') : [];
  const layers = [...groups.flatMap(({ producers }) => producers), ...convolutions.map(({ name }) => name)];
  return scoreFilters(model, sources.scoring, { criterion, layers });
}

function select(scores: readonly LayerScores[], { groups, filters }: ChannelGraph, options: PruningOptions): Selection {
  const { criterion, ranking } = options;
  const inClasses = isClassAware(criterion) && ranking?.normalise !== 'layer mean';
  return selectFilters(rankByShare(scores, { ...ranking, groups }), {
    ...(inClasses && { threshold: PAPER_THRESHOLD }),
    ...options.selection,
    layerSizes: filters,
  });
}

const PAPER_THRESHOLD = 0.3;
