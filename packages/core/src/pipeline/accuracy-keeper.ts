import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BatchSource } from '../data.ts';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import type { PruningPlan } from '../pruning/pruning-plan.ts';
import type { NamedValues } from '../training/named-values.ts';
import { OptimiserState, sliceOptimiserState } from '../training/optimiser-state.ts';
import { type RecalibrationOptions, recalibrateBatchNorm } from '../training/recalibrate-batch-norm.ts';
import type { Schedule } from '../training/schedule.ts';
import { type DistillationOptions, type TrainingEvent, type TrainingOptions, train } from '../training/train.ts';

/** What may help a network over its removals, beside more training. Default: none of it. */
export interface KeepingOptions {
  /** Recalibrate batch norm after every removal, and after every tuning, on images trained on. */
  readonly recalibrate?: Pick<RecalibrationOptions, 'batches'>;
  /** Every tuning has the unpruned network for its teacher. */
  readonly distillation?: DistillationOptions;
  /** Every tuning but the first starts with the momentum of the one before, cut as the weights were. */
  readonly keepMomentum?: boolean;
  /** The training that made the unpruned network: tunings of k epochs take the learning rates of its last k. */
  readonly rewind?: { readonly schedule: Schedule; readonly epochs: number };
}

/** Tunes the networks of one pruning loop, and carries between them what the options say. */
export class AccuracyKeeper {
  readonly #teacher: LayersModel;
  readonly #training: BatchSource;
  readonly #options: KeepingOptions;
  readonly #momentum = new Map<LayersModel, OptimiserState>();

  constructor(teacher: LayersModel, training: BatchSource, options: KeepingOptions) {
    this.#teacher = teacher;
    this.#training = training;
    this.#options = options;
  }

  /** To be called once `pruned` has been made from `model`, before either is tuned or disposed. */
  async carryOver(
    model: LayersModel,
    pruned: LayersModel,
    { graph, plan, precision }: { graph: ChannelGraph; plan: PruningPlan } & Pick<TrainingOptions, 'precision'>,
  ): Promise<void> {
    const momentum = this.#momentum.get(model);
    if (momentum) this.#momentum.set(pruned, sliceOptimiserState(momentum, graph, plan));
    await this.#recalibrate(pruned, precision);
  }

  async *tune(
    model: LayersModel,
    options: TrainingOptions,
    progress: Pick<TrainingOptions, 'checkpoint' | 'resume'> = {},
  ): AsyncGenerator<TrainingEvent, void> {
    const { distillation, rewind } = this.#options;
    yield* train(model, this.#training, {
      ...options,
      ...(distillation && { teacher: { ...distillation, model: this.#teacher } }),
      ...(rewind && { schedule: { kind: 'rewind', ...rewind, last: options.epochs } }),
      ...this.#optimiserStateOf(model),
      ...progress,
    });
    await this.#recalibrate(model, options.precision);
  }

  /** The velocities kept for a network. */
  momentumOf(model: LayersModel): NamedValues {
    return this.#momentum.get(model)?.read() ?? [];
  }

  restoreMomentum(model: LayersModel, velocities: NamedValues): void {
    const optimiserState = new OptimiserState();
    optimiserState.restore(velocities);
    this.forget(model);
    if (velocities.length > 0) this.#momentum.set(model, optimiserState);
  }

  /** To be called when a network is given up. */
  forget(model: LayersModel): void {
    this.#momentum.get(model)?.dispose();
    this.#momentum.delete(model);
  }

  dispose(): void {
    for (const model of [...this.#momentum.keys()]) this.forget(model);
  }

  #optimiserStateOf(model: LayersModel): Pick<TrainingOptions, 'optimiserState'> {
    if (!this.#options.keepMomentum) return {};
    const optimiserState = this.#momentum.get(model) ?? new OptimiserState();
    this.#momentum.set(model, optimiserState);
    return { optimiserState };
  }

  async #recalibrate(model: LayersModel, precision: TrainingOptions['precision'] = 'float32'): Promise<void> {
    const { recalibrate } = this.#options;
    if (recalibrate) await recalibrateBatchNorm(model, this.#training, { ...recalibrate, precision });
  }
}
