import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BatchSource } from '../data.ts';
import { type Precision, usePrecision } from '../kernels/precision.ts';
import { type Objective, PAPER_OBJECTIVE } from '../objective/objective.ts';
import { compileProgram } from './program.ts';
import { learningRateAt, type Schedule } from './schedule.ts';
import { SgdMomentum } from './sgd.ts';
import { type LossTerms, NonFiniteLossError, trainingStep } from './step.ts';
import { hasFiniteWeights, snapshotWeights, type WeightSnapshot } from './weight-snapshot.ts';

export interface TrainingOptions {
  readonly epochs: number;
  readonly schedule: Schedule;
  /** Default 0.9. */
  readonly momentum?: number;
  /** Default 5e-4. */
  readonly weightDecay?: number;
  /** Default: the paper's. */
  readonly objective?: Objective;
  /** What convolutions compute in; default float32. */
  readonly precision?: Precision;
}

/** Progress after every step. */
export interface StepEvent extends LossTerms {
  readonly type: 'step';
  /** Epoch from 0, and step from 0 over the whole training. */
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly images: number;
  /** Images of this batch that the network, in training mode, classified rightly. */
  readonly correct: number;
  readonly milliseconds: number;
}

/** Means over the epoch. */
export interface EpochEvent {
  readonly type: 'epoch';
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly crossEntropy: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
}

export type TrainingEvent = StepEvent | EpochEvent;

/**
 * Trains the model in place by SGD with momentum on the objective of arXiv 2312.05875, eq. 1.
 *
 * @throws NonFiniteLossError naming the step, when a loss is not finite or an epoch ends with weights that are not. The
 *   model then goes back to its last good weights: those at the latest start of an epoch whose first loss was finite, or
 *   those that it came with.
 */
export async function* train(
  model: LayersModel,
  source: BatchSource,
  options: TrainingOptions,
): AsyncGenerator<TrainingEvent, void> {
  const { epochs, schedule, momentum = 0.9, weightDecay = 5e-4, objective = PAPER_OBJECTIVE } = options;
  checkCount('epochs', epochs);
  const program = compileProgram(model);
  const optimizer = new SgdMomentum();
  const stepsPerEpoch = Math.ceil(source.size / source.batchSize);
  const steps = stepsPerEpoch * epochs;
  let step = 0;
  let lastGood = snapshotWeights(model);
  /** The weights at the start of an epoch, until a loss computed with them proves finite. */
  let unproven: WeightSnapshot | undefined;
  const placeOf = (index: number, epoch: number) => `step ${index + 1} of ${steps} (epoch ${epoch + 1})`;
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      if (epoch > 0) unproven = snapshotWeights(model);
      const totals = { images: 0, loss: 0, crossEntropy: 0, correct: 0, milliseconds: 0 };
      for await (const batch of source.batches(epoch)) {
        const learningRate = learningRateAt(schedule, step, steps);
        const started = performance.now();
        const restorePrecision = usePrecision(options.precision ?? 'float32');
        let result: ReturnType<typeof trainingStep>;
        try {
          result = trainingStep(program, batch, optimizer, { learningRate, momentum, weightDecay, objective });
        } catch (error) {
          if (!(error instanceof NonFiniteLossError)) throw error;
          lastGood.restore();
          throw new NonFiniteLossError(
            error.loss,
            `Expected a finite loss, but it was ${error.loss} at ${placeOf(step, epoch)}`,
          );
        } finally {
          restorePrecision();
        }
        if (unproven) {
          lastGood.dispose();
          lastGood = unproven;
          unproven = undefined;
        }
        const milliseconds = performance.now() - started;
        const images = batch.labels.length;
        totals.images += images;
        totals.loss += result.total * images;
        totals.crossEntropy += result.crossEntropy * images;
        totals.correct += result.correct;
        totals.milliseconds += milliseconds;
        yield { type: 'step', epoch, step, steps, learningRate, images, milliseconds, ...result };
        step++;
      }
      if (!hasFiniteWeights(model)) {
        lastGood.restore();
        throw new NonFiniteLossError(
          Number.NaN,
          `Expected finite weights, but some were not after ${placeOf(step - 1, epoch)}`,
        );
      }
      yield {
        type: 'epoch',
        epoch,
        epochs,
        loss: totals.loss / totals.images,
        crossEntropy: totals.crossEntropy / totals.images,
        accuracy: totals.correct / totals.images,
        imagesPerSecond: (1000 * totals.images) / totals.milliseconds,
      };
    }
  } finally {
    unproven?.dispose();
    lastGood.dispose();
    optimizer.dispose();
  }
}

function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`Expected ${name} to be a whole number of at least 1, but received ${value}.`);
  }
}
