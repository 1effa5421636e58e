import type { NetworkCost, PruningEvent, TargetState, TrainingEvent } from '@secateur/core';
import { TrainingPace } from '../terminal/training-pace.ts';
import type { RunConfig } from './run-config.ts';
import type { IterationReport } from './summary.ts';

/** Images of the parts of a run. */
export interface ImageCounts {
  readonly training: number;
  /** Of the trainings after removals, which see a specialist's classes only. */
  readonly tuning: number;
  readonly scoring: number;
  readonly validation: number;
  readonly test: number;
  /** Of these, those on which the ONNX file is compared with the network. */
  readonly verified: number;
}

export type ForecastConfig = Pick<
  RunConfig,
  'training' | 'fineTune' | 'finalTune' | 'selection' | 'target' | 'maxIterations' | 'keeping' | 'batchSize'
>;

export type ForecastEvent =
  | PruningEvent
  | { readonly type: 'training'; readonly phase: 'train'; readonly event: TrainingEvent };

/** Forward pass : forward and backward pass. */
const FORWARD = 1 / 3;
/** What of a step's time does not depend on the network's MACs: measured for VGG-11 at 66 % and at 49 % of them. */
const FIXED = 0.3;
/** MACs that are left when a share of the filters is: more than its square, because deep layers lose most and cost least. */
const MACS_EXPONENT = 1.5;
/** A training's own pace counts as much as that of the one before after so many steps. */
const TRUSTED_STEPS = 20;
/** Writing two ONNX files, opening sessions and measuring their latency. */
const ENDING_SECONDS = 1;

/**
 * How long a run still takes: trainings, iterations that are still to come, and what follows them. It goes by the pace of the training under
 * way and by what the removals so far have taken away; before the first, by the share of the filters that goes at once.
 *
 * Work is counted in images of a training step of the unpruned network.
 */
export class RunForecast {
  readonly #config: ForecastConfig;
  readonly #images: ImageCounts;
  readonly #unpruned: NetworkCost;
  /** Seconds for a unit of work, from the trainings before this one. */
  #priorPace: number | undefined;
  #current: Training | undefined;
  /** Share of the target's quantity that the last good network has, and that it may have. */
  #left = 1;
  #goal: number | undefined;
  #removals = 0;
  /** What the network being tuned has. */
  #candidate: number | undefined;
  /** What the unpruned network has of the target's quantity. */
  #unit: number | undefined;
  #stage: 'training' | 'loop' | 'ending' = 'training';

  /** @param options.iterations Those that an earlier process has done. */
  constructor(
    config: ForecastConfig,
    {
      images,
      unpruned,
      iterations = [],
    }: {
      readonly images: ImageCounts;
      readonly unpruned: NetworkCost;
      readonly iterations?: readonly IterationReport[] | undefined;
    },
  ) {
    this.#config = config;
    this.#images = images;
    this.#unpruned = unpruned;
    this.#goal = goalBefore(config.target, unpruned);
    const good = iterations.filter(({ withinTolerance }) => withinTolerance);
    this.#removals = good.length;
    this.#left = (good.at(-1)?.macs ?? unpruned.macs) / unpruned.macs;
  }

  /** To be called when an event happens. */
  add(event: ForecastEvent): void {
    switch (event.type) {
      case 'baseline':
      case 'resumed':
        this.#endTraining();
        this.#stage = 'loop';
        if (event.target) this.#goal = event.target.goal / event.target.value;
        this.#unit = event.target?.value;
        break;
      case 'pruned':
        this.#candidate = this.#shareOf(event);
        break;
      case 'training':
        this.#train(event);
        break;
      case 'evaluated':
        this.#endTraining();
        if (event.withinTolerance && this.#candidate !== undefined) {
          this.#left = this.#candidate;
          this.#removals++;
          if (this.#left <= (this.#goal ?? 0)) this.#stage = 'ending';
        }
        this.#candidate = undefined;
        break;
      case 'finished':
        this.#endTraining();
        this.#stage = 'ending';
        break;
      case 'scored':
      case 'rolled-back':
        break;
      default:
        event satisfies never;
    }
  }

  /** undefined before the pace is known, and where no target tells how many iterations there will be. */
  secondsLeft(): number | undefined {
    const pace = this.#pace();
    const after = this.#workAfterTraining();
    if (pace === undefined || after === undefined) return undefined;
    return pace * ((this.#current?.workLeft ?? 0) + after) + ENDING_SECONDS;
  }

  #shareOf({ cost, target }: { readonly cost: NetworkCost; readonly target?: TargetState }): number {
    return target && this.#unit ? target.value / this.#unit : cost.macs / this.#unpruned.macs;
  }

  #train({ phase, event }: Extract<ForecastEvent, { type: 'training' }>): void {
    if (event.type === 'epoch') return;
    if (this.#current?.phase !== phase) {
      this.#endTraining();
      this.#current = this.#begin(phase);
    }
    this.#current.add(event);
  }

  #begin(phase: Training['phase']): Training {
    const { training, fineTune, finalTune } = this.#config;
    if (phase === 'train') return new Training(phase, training.epochs * this.#images.training);
    // Taken up in the middle of a removal, whose result was told to an earlier process, or at the end of the loop.
    const left = this.#candidate ?? (phase === 'fine-tune' ? this.#afterRemoval(this.#left) : this.#left);
    const { epochs } = phase === 'fine-tune' ? fineTune : finalTune;
    return new Training(phase, this.#tuningWork(epochs, left));
  }

  #endTraining(): void {
    this.#priorPace = this.#pace();
    this.#current = undefined;
  }

  #pace(): number | undefined {
    const prior = this.#priorPace;
    const { work, seconds, workOfStep } = this.#current?.measured ?? { work: 0, seconds: 0, workOfStep: 0 };
    if (prior === undefined) return work > 0 ? seconds / work : undefined;
    const trusted = TRUSTED_STEPS * workOfStep;
    return trusted > 0 ? (prior * trusted + seconds) / (trusted + work) : prior;
  }

  /** What comes once the training under way has ended. */
  #workAfterTraining(): number | undefined {
    const { fineTune, finalTune, maxIterations } = this.#config;
    const phase = this.#current?.phase;
    const goal = this.#goal;
    let [left, removals] = [this.#left, this.#removals];
    let work = 0;
    let tuned = this.#stage === 'ending' || phase === 'final-tune';
    if (phase !== undefined && phase !== 'train') {
      left = this.#candidate ?? left;
      removals++;
    }
    if (phase !== undefined) work += this.#passWork(this.#images.validation, left);
    if (!tuned && (goal === undefined || goal <= 0)) return undefined;
    while (!tuned && removals < maxIterations && left > goal!) {
      work += this.#images.scoring * speed(left);
      left = this.#afterRemoval(left);
      removals++;
      tuned = left <= goal!;
      work += this.#tuningWork((tuned ? finalTune : fineTune).epochs, left);
      work += this.#passWork(this.#images.validation, left);
    }
    if (!tuned) work += this.#tuningWork(finalTune.epochs, left);
    const { test, verified } = this.#images;
    // Both networks on the test images, then the pruned one and its ONNX file on some of them.
    return work + this.#passWork(test, 1) + this.#passWork(test + 2 * verified, left);
  }

  /** Each removal takes the same share, and the last no more than the goal asks for. */
  #afterRemoval(left: number): number {
    const share =
      this.#removals > 0
        ? this.#left ** (1 / this.#removals)
        : (this.#candidate ?? (1 - this.#config.selection.maxFraction) ** MACS_EXPONENT);
    return Math.max(this.#goal ?? 0, left * share);
  }

  #tuningWork(epochs: number, left: number): number {
    const { recalibrateBatches, teacherWeight } = this.#config.keeping;
    const teacher = teacherWeight > 0 ? FORWARD : 0;
    const recalibration = 2 * this.#passWork(recalibrateBatches * this.#config.batchSize, left);
    return epochs * this.#images.tuning * (speed(left) + teacher) + recalibration;
  }

  #passWork(images: number, left: number): number {
    return images * FORWARD * speed(left);
  }
}

/** One training: how much work it is, and how much of it is done. */
class Training {
  readonly phase: 'train' | 'fine-tune' | 'final-tune';
  readonly #work: number;
  readonly #pace = new TrainingPace();
  #done = 0;
  #steps = 1;

  constructor(phase: Training['phase'], work: number) {
    this.phase = phase;
    this.#work = work;
  }

  add(event: { readonly step: number; readonly steps: number }): void {
    this.#pace.add(event);
    this.#done = event.step + 1;
    this.#steps = event.steps;
  }

  get workLeft(): number {
    return this.#work * (1 - this.#done / this.#steps);
  }

  get measured(): { readonly work: number; readonly seconds: number; readonly workOfStep: number } {
    const { steps, seconds } = this.#pace.measured;
    const workOfStep = this.#work / this.#steps;
    return { work: steps * workOfStep, seconds, workOfStep };
  }
}

/** Time of an image in a network of which that share is left, where the unpruned one's is 1. */
function speed(left: number): number {
  return FIXED + (1 - FIXED) * left;
}

/** What is known of the goal before the unpruned network was measured. */
function goalBefore({ kind, removed, atMost }: RunConfig['target'], unpruned: NetworkCost): number | undefined {
  if (removed !== null) return 1 - removed;
  if (kind === 'latency') return undefined;
  return Math.min(1, atMost! / (kind === 'macs' ? unpruned.macs : unpruned.parameters));
}
