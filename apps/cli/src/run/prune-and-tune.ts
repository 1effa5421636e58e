import {
  type BatchSource,
  type Checkpoint,
  classAwarePruning,
  type GuardViolation,
  NonFiniteLossError,
  type PruningEvent,
  type PruningOptions,
  type PruningResult,
  type PruningState,
  type TargetState,
} from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { count, milliseconds, percent, points, whole } from '../terminal/format.ts';
import { trainingProgress } from '../terminal/training-progress.ts';
import type { RunContext } from './context.ts';
import type { ImageSources } from './image-sources.ts';
import type { IterationReport } from './summary.ts';
import { LAST_GOOD, recordTraining, stoppedTraining } from './train-network.ts';

const UNPRUNED = 'checkpoints/unpruned';
const BEST = 'checkpoints/best';

export interface PrunedNetwork {
  readonly result: PruningResult;
  readonly unprunedAccuracy: number;
  readonly iterations: readonly IterationReport[];
}

/** What of a loop under way a checkpoint holds. */
export interface LoopState {
  readonly pruning: PruningState;
  readonly iterations: readonly IterationReport[];
}

/**
 * Runs the loop of class-aware pruning, showing and recording what happens: a plan-N.json for each removal, and the best
 * network so far in checkpoints/.
 *
 * @param progress What to go on from, and who keeps the state.

 * @throws Error when the loss is not finite any more, naming where the last good network is, or the signal is aborted.
 */
export async function pruneAndTune(
  model: LayersModel,
  sources: Pick<ImageSources, 'training' | 'scoring' | 'validation'>,
  options: PruningOptions,
  context: RunContext,
  { resume, checkpoint }: { readonly resume?: LoopState | undefined; readonly checkpoint: Checkpoint<LoopState> },
): Promise<PrunedNetwork> {
  const { directory } = context;
  await directory.saveModel(UNPRUNED, model);
  let lastGood = resume && resume.pruning.best.plans.length > 0 ? BEST : UNPRUNED;
  const iterations: IterationReport[] = [...(resume?.iterations ?? [])];
  const show = showPruning(context, options);
  let removedFilters = resume?.pruning.removal?.removed ?? 0;
  let unprunedAccuracy = 0;
  const loop = classAwarePruning(model, sources, {
    ...options,
    resume: resume?.pruning,
    checkpoint: (capture, moment) => checkpoint(() => ({ pruning: capture(), iterations: [...iterations] }), moment),
  });
  try {
    for await (const event of loop) {
      context.forecast?.add(event);
      record(event, context);
      show(event);
      switch (event.type) {
        case 'baseline':
        case 'resumed':
          unprunedAccuracy = event.evaluation.accuracy;
          break;
        case 'pruned':
          removedFilters = event.selection.removed.length;
          await directory.writeJson(`plan-${event.iteration}.json`, event.plan);
          break;
        case 'evaluated':
          iterations.push({
            iteration: event.iteration,
            removedFilters,
            macs: event.cost.macs,
            validationAccuracy: event.evaluation.accuracy,
            withinTolerance: event.withinTolerance,
          });
          if (event.withinTolerance) {
            await directory.saveModel(BEST, event.model);
            lastGood = BEST;
          }
          break;
        case 'finished':
          return { result: event.result, unprunedAccuracy, iterations };
      }
    }
  } catch (error) {
    if (!(error instanceof NonFiniteLossError)) throw error;
    throw stoppedTraining(error, await directory.copyModel(lastGood, LAST_GOOD));
  }
  throw new Error('The pruning loop ended without a result.');
}

/** Scores as lists and steps as numbers; of a selection the removed filters, of a cost its sums. */
function record(event: PruningEvent, { directory, forecast }: RunContext): void {
  switch (event.type) {
    case 'training': {
      const { phase, iteration } = event;
      recordTraining(event.event, { phase, iteration }, { directory, forecast });
      break;
    }
    case 'pruned':
      directory.event({
        type: event.type,
        iteration: event.iteration,
        removed: event.selection.removed,
        keptAsLast: event.selection.keptAsLast.length,
        keptByLayerCap: event.selection.keptByLayerCap.length,
        keptByRounding: event.selection.keptByRounding.length,
        target: event.target,
        macs: event.cost.macs,
        parameters: event.cost.parameters,
      });
      break;
    case 'resumed':
      // Recorded by the run, which may also be taken up before the loop.
      break;
    case 'baseline':
    case 'rolled-back': {
      const { cost, ...rest } = event;
      directory.event({ ...rest, macs: cost.macs, parameters: cost.parameters });
      break;
    }
    case 'evaluated': {
      const { cost, model: _, ...rest } = event;
      directory.event({ ...rest, macs: cost.macs, parameters: cost.parameters });
      break;
    }
    case 'scored':
      directory.event({ ...event });
      break;
    case 'finished': {
      const { reason, violation, target, evaluation, cost, plans } = event.result;
      const found = { violation, target, plans: plans.length, evaluation, macs: cost.macs };
      directory.event({ type: event.type, reason, ...found });
      break;
    }
    default:
      event satisfies never;
  }
}

/** Tells the story of the loop, and times its parts. */
function showPruning(
  { terminal, stopwatch, forecast }: RunContext,
  options: PruningOptions,
): (event: PruningEvent) => void {
  let macs = 0;
  let accuracy = 0;
  let showTraining: ReturnType<typeof trainingProgress> | undefined;
  let since = performance.now();
  const lap = (part: string) => {
    const now = performance.now();
    stopwatch.add(part, (now - since) / 1000);
    since = now;
  };
  const removedShare = (left: number) => percent(1 - left / macs);
  return (event) => {
    switch (event.type) {
      case 'baseline':
      case 'resumed':
        lap('evaluation');
        macs = event.cost.macs;
        accuracy = event.evaluation.accuracy;
        terminal.step('Unpruned', `validation accuracy ${percent(accuracy, 2)}, ${count(macs)} MACs`);
        break;
      case 'scored':
        lap('scoring');
        break;
      case 'pruned': {
        lap('removal');
        const { removed, filters } = event.selection;
        terminal.step(
          `Prune ${event.iteration}`,
          `${whole(removed.length)} of ${whole(filters)} filters removed: ${removedShare(event.cost.macs)} of the MACs gone so far${otherTarget(event.target)}`,
        );
        showTraining = undefined;
        break;
      }
      case 'training': {
        lap(event.phase);
        const isFinal = event.phase === 'final-tune';
        showTraining ??= trainingProgress(terminal, {
          label: event.phase,
          epochs: (isFinal ? options.finalTune : undefined)?.epochs ?? options.fineTune.epochs,
          secondsLeft: forecast && (() => forecast.secondsLeft()),
        });
        showTraining(event.event);
        break;
      }
      case 'evaluated': {
        lap('evaluation');
        const drop = points(event.evaluation.accuracy - accuracy);
        const verdict = event.violation
          ? terminal.colors.yellow(`, ${describeViolation(event.violation)}: not kept`)
          : '';
        terminal.line(`  validation accuracy ${percent(event.evaluation.accuracy, 2)} (${drop})${verdict}`);
        showTraining = undefined;
        break;
      }
      case 'rolled-back':
        terminal.line(
          `  back to the last good network, for a step of at most ${whole(event.maxFilters)} ${event.maxFilters === 1 ? 'filter' : 'filters'}`,
        );
        break;
      case 'finished': {
        lap('evaluation');
        const { reason, violation, target, cost, evaluation } = event.result;
        const why = violation ? `${reason} (${describeViolation(violation)})` : reason;
        terminal.step(
          'Pruned',
          `${why}: ${removedShare(cost.macs)} of the MACs gone${otherTarget(target)}, validation accuracy ${percent(evaluation.accuracy, 2)} (${points(evaluation.accuracy - accuracy)})`,
        );
        break;
      }
      default:
        event satisfies never;
    }
  };
}

function describeViolation({ className, accuracy, atLeast }: GuardViolation): string {
  const whose = className === undefined ? '' : `class '${className}' at ${percent(accuracy)}, `;
  return `${whose}less than the ${percent(atLeast)} asked for`;
}

/** How far a target other than that of the MACs is. */
function otherTarget(target: TargetState | undefined): string {
  if (!target || target.kind === 'macs') return '';
  const amount = target.kind === 'params' ? count : milliseconds;
  return `, ${amount(target.value)}${target.kind === 'params' ? ' parameters' : ''} of ${amount(target.goal)} at most`;
}

/** Shows how far the pass over a source is. */
export function showPass(source: BatchSource, label: string, { terminal }: RunContext): (images: number) => void {
  let seen = 0;
  return (images) => {
    seen = (seen % source.size) + images;
    terminal.progress(() => `  ${label}: ${whole(seen)} of ${whole(source.size)} images`);
  };
}
