import type { RecordedScores, RunEvent } from './run-events.ts';
import type {
  Curve,
  Iteration,
  IterationScores,
  NetworkState,
  RunReport,
  ScoreMatrix,
  StepColumn,
} from './run-report.ts';
import { histogramOf, matrixOf } from './score-matrix.ts';
import { ThinnedSeries } from './thinned-series.ts';

const COLUMNS: readonly StepColumn[] = ['epoch', 'total', 'crossEntropy', 'distillation', 'learningRate'];
const POINTS = { train: 480, tuning: 120 };

type Event<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

/** What the events alone say about a run. */
export type EventFacts = Pick<
  RunReport,
  | 'state'
  | 'message'
  | 'startedAt'
  | 'resumed'
  | 'seconds'
  | 'expectedSeconds'
  | 'classNames'
  | 'before'
  | 'after'
  | 'layers'
  | 'iterations'
  | 'endReason'
> &
  Pick<RunReport, 'curves' | 'scores' | 'matrices'>;

export interface CollectorOptions {
  /** A share of the classes; undefined where filters go whatever their score. */
  readonly threshold?: number | undefined;
  /** Of the trainings, where that is known before their first epoch has ended. */
  readonly epochs?: Readonly<Record<string, number | undefined>>;
}

/** Takes in the events of a run one by one, as they are read or as they happen, and keeps what a report shows of them. */
export class RunCollector {
  readonly #options: CollectorOptions;
  readonly #curves = new Map<string, OpenCurve>();
  readonly #iterations: Iteration[] = [];
  readonly #scored: ScoredIteration[] = [];
  #facts: Pick<
    EventFacts,
    'state' | 'message' | 'startedAt' | 'resumed' | 'seconds' | 'expectedSeconds' | 'before' | 'after' | 'endReason'
  > = {
    state: 'running',
    seconds: 0,
  };
  #widths: { readonly before: ReadonlyMap<string, number>; after: ReadonlyMap<string, number> } | undefined;
  #removed = 0;

  constructor(options: CollectorOptions = {}) {
    this.#options = options;
  }

  add(event: RunEvent): void {
    this.#note({ seconds: event.seconds });
    switch (event.type) {
      case 'started':
        this.#note({ startedAt: event.at, state: 'running' });
        break;
      case 'resumed': {
        const { message: _, ...facts } = this.#facts;
        this.#facts = { ...facts, state: 'running', resumed: (facts.resumed ?? 0) + 1 };
        break;
      }
      case 'epoch':
        if (event.secondsLeft !== undefined) this.#note({ expectedSeconds: event.seconds + event.secondsLeft });
        this.#curveOf(event).add(event);
        break;
      case 'step':
        this.#curveOf(event).add(event);
        break;
      case 'baseline': {
        const state = stateOf(event);
        this.#note({ before: state, after: state });
        break;
      }
      case 'scored':
        this.#score(event);
        break;
      case 'pruned':
        this.#prune(event);
        break;
      case 'evaluated':
        this.#evaluate(event);
        break;
      case 'rolled-back': {
        const latest = this.#scored.at(-1);
        if (this.#widths && latest) this.#widths.after = latest.widths();
        break;
      }
      case 'finished':
        this.#note({ endReason: event.reason });
        break;
      case 'completed':
        this.#note({ state: 'finished' });
        break;
      case 'interrupted':
      case 'failed':
        this.#note({ state: event.type, ...(event.message !== undefined && { message: event.message }) });
        break;
      default:
        event satisfies never;
    }
  }

  facts(): EventFacts {
    const { before, after } = this.#widths ?? { before: new Map<string, number>(), after: new Map<string, number>() };
    const shown = [...new Set([this.#scored.at(0), this.#scored.at(-1)])].filter((scored) => scored !== undefined);
    return {
      ...this.#facts,
      classNames: this.#facts.before?.validation.classes.map(({ className }) => className) ?? [],
      layers: [...before].map(([layer, filters]) => ({ layer, before: filters, after: after.get(layer) ?? filters })),
      iterations: [...this.#iterations],
      curves: [...this.#curves.values()].map((curve) => curve.toJSON()),
      scores: this.#scored.map((scored) => scored.histograms(this.#options.threshold)),
      matrices: shown.flatMap((scored) => scored.matrices()),
    };
  }

  #note(facts: Partial<EventFacts>): void {
    this.#facts = { ...this.#facts, ...facts };
  }

  #curveOf({ phase, iteration, ...event }: Event<'step' | 'epoch'>): OpenCurve {
    const key = `${phase} ${iteration ?? 0}`;
    const known = this.#curves.get(key);
    // A second attempt at an iteration takes the place of the first.
    const startsAgain = event.epoch === 0 && (event.type === 'step' ? event.step === 0 : known?.hasMeans === true);
    if (known && !startsAgain) return known;
    const curve = new OpenCurve(
      { phase, ...(iteration !== undefined && { iteration }) },
      this.#options.epochs?.[phase],
    );
    this.#curves.delete(key);
    this.#curves.set(key, curve);
    return curve;
  }

  #score({ iteration, scores }: Event<'scored'>): void {
    // Only the first and the latest keep their matrices.
    if (this.#scored.length > 1) this.#scored.at(-1)!.forgetMatrices();
    const scored = new ScoredIteration(iteration, scores);
    this.#scored.push(scored);
    const after = scored.widths();
    this.#widths = { before: this.#widths?.before ?? after, after };
  }

  #prune({ removed }: Event<'pruned'>): void {
    this.#removed = removed.length;
    const scored = this.#scored.at(-1);
    if (!this.#widths || !scored) return;
    scored.removed = removed;
    const after = new Map(scored.widths());
    for (const { layer } of removed) after.set(layer, (after.get(layer) ?? 0) - 1);
    this.#widths.after = after;
  }

  #evaluate(event: Event<'evaluated'>): void {
    const { iteration, evaluation, withinTolerance: kept, macs, parameters, seconds } = event;
    const { accuracy } = evaluation;
    this.#iterations.push({ iteration, removedFilters: this.#removed, macs, parameters, accuracy, kept, seconds });
    if (kept) this.#note({ after: stateOf(event) });
    else if (this.#widths) this.#widths.after = this.#scored.at(-1)?.widths() ?? this.#widths.after;
  }
}

function stateOf({ macs, parameters, evaluation }: Event<'baseline' | 'evaluated'>): NetworkState {
  const { images, accuracy, classes, confusion } = evaluation;
  return { macs, parameters, validation: { images, accuracy, classes, confusion } };
}

/** A training as it goes on. */
class OpenCurve {
  readonly #identity: Pick<Curve, 'phase' | 'iteration'>;
  readonly #steps: ThinnedSeries<StepColumn>;
  readonly #means: Curve['means'][number][] = [];
  #epochs: number;
  #stepsPerEpoch = 0;

  constructor(identity: Pick<Curve, 'phase' | 'iteration'>, epochs = 0) {
    this.#identity = identity;
    this.#epochs = epochs;
    this.#steps = new ThinnedSeries(COLUMNS, identity.phase === 'train' ? POINTS.train : POINTS.tuning);
  }

  get hasMeans(): boolean {
    return this.#means.length > 0;
  }

  add(event: Event<'step' | 'epoch'>): void {
    if (event.type === 'epoch') {
      const { epoch, loss, crossEntropy, accuracy, imagesPerSecond } = event;
      this.#means.push({ epoch, loss, crossEntropy, accuracy, imagesPerSecond });
      this.#epochs = event.epochs;
      return;
    }
    // The first step of a later epoch tells how long an epoch is; until then a training of one epoch is assumed, if nothing is known.
    if (event.epoch > 0 && this.#stepsPerEpoch === 0) this.#stepsPerEpoch = event.step / event.epoch;
    const { total, crossEntropy, distillation, learningRate, step, steps } = event;
    this.#epochs ||= this.#stepsPerEpoch > 0 ? Math.round(steps / this.#stepsPerEpoch) : 0;
    this.#steps.add({ epoch: (step + 0.5) / steps, total, crossEntropy, distillation, learningRate });
  }

  toJSON(): Curve {
    const { epoch, ...columns } = this.#steps.columns();
    const epochs = Math.max(this.#epochs, 1);
    return {
      ...this.#identity,
      epochs,
      steps: { ...columns, epoch: epoch.map((share) => Number((share * epochs).toPrecision(5))) },
      stretch: this.#steps.stretch,
      means: [...this.#means],
    };
  }
}

/** The scores of one iteration, and which filters went by them. */
class ScoredIteration {
  readonly #iteration: number;
  #layers: readonly RecordedScores[];
  removed: readonly { readonly layer: string; readonly filter: number }[] = [];

  constructor(iteration: number, layers: readonly RecordedScores[]) {
    this.#iteration = iteration;
    this.#layers = layers;
  }

  widths(): Map<string, number> {
    return new Map(this.#layers.map(({ layer, filters }) => [layer, filters]));
  }

  histograms(threshold: number | undefined): IterationScores {
    const classes = this.#layers[0]?.classes ?? 0;
    return {
      iteration: this.#iteration,
      classes,
      ...(threshold !== undefined && classes > 0 && { threshold: Number((threshold * classes).toPrecision(6)) }),
      layers: this.#layers.map((layer) => histogramOf(layer, this.#removedOf(layer).length)),
    };
  }

  matrices(): ScoreMatrix[] {
    return this.#layers.flatMap(
      (layer) => matrixOf(layer, { iteration: this.#iteration, removed: this.#removedOf(layer) }) ?? [],
    );
  }

  forgetMatrices(): void {
    this.#layers = this.#layers.map((layer) => ({ ...layer, classMatrix: [] }));
  }

  #removedOf({ layer }: RecordedScores): number[] {
    return this.removed.filter((removed) => removed.layer === layer).map(({ filter }) => filter);
  }
}
