import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkCount } from '../check-option.ts';
import type { BatchSource } from '../data.ts';
import { type Precision, usePrecision } from '../kernels/precision.ts';
import { type Objective, PAPER_OBJECTIVE } from '../objective/objective.ts';
import { requireClasses, requireLabels } from './labels.ts';
import { readWeights } from './named-values.ts';
import { checkFits, OptimiserState } from './optimiser-state.ts';
import { compileProgram } from './program.ts';
import { learningRateAt, type Schedule } from './schedule.ts';
import { type LossTerms, NonFiniteLossError, type StepTeacher, trainingStep } from './step.ts';
import { type Checkpoint, emptyTotals, restoreTraining, type TrainingState } from './training-state.ts';
import { hasFiniteWeights, snapshotWeights, type WeightSnapshot } from './weight-snapshot.ts';

/** How a network learns from the logits of another one (Hinton et al. 2015). */
export interface DistillationOptions {
  /** T, which softens both networks' probabilities; greater than 0, default 4. */
  readonly temperature?: number;
  /** w in (1 - w) * cross entropy + w * T^2 KL(teacher || student); in [0, 1], default 0.9. */
  readonly weight?: number;
}

export interface Teacher extends DistillationOptions {
  /** Sees the same images, augmented as they are, in inference mode. It stays as it is, and the caller's. */
  readonly model: LayersModel;
}

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
  /** Default: none, the labels alone. Every step then costs a forward pass of the teacher too. */
  readonly teacher?: Teacher;
  /** Velocities to start from; the training leaves its own there at its end. Default: none, and none are left. */
  readonly optimiserState?: OptimiserState;
  /** Asked before the first step and after each whether to keep the state, for `resume`. */
  readonly checkpoint?: Checkpoint<TrainingState>;
  /** Goes on from there; source and other options have to be those of the training that the state was taken from. */
  readonly resume?: TrainingState | undefined;
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
  /** Images of this batch, or pixels with labels of their own, that the network, in training mode, classified rightly. */
  readonly correct: number;
  readonly milliseconds: number;
  /** How many of them the teacher's forward pass took. */
  readonly teacherMilliseconds: number;
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
 * Trains the model in place by SGD with momentum on the objective of arXiv 2312.05875, eq. 1. A model may end in logits or in the softmax
 * of them.
 *
 * @throws NonFiniteLossError naming the step, when a loss is not finite or an epoch ends with weights that are not. The
 *   model then goes back to its last good weights: those at the latest start of an epoch whose first loss was finite, or
 *   those that it came with. An optimiser state that was handed in is then empty.
 * @throws Error when the model has not one logit for each class, a label is no class, the teacher has other logits than the
 *   model, or the optimiser state or the state to go on from does not fit it.
 */
export async function* train(
  model: LayersModel,
  source: BatchSource,
  options: TrainingOptions,
): AsyncGenerator<TrainingEvent, void> {
  const { epochs, schedule, momentum = 0.9, weightDecay = 5e-4, objective = PAPER_OBJECTIVE } = options;
  checkCount('epochs', epochs);
  const program = compileProgram(model);
  requireClasses(model, source);
  const teacher = options.teacher && prepareTeacher(options.teacher, model);
  const optimiser = options.optimiserState ?? new OptimiserState();
  checkFits(optimiser.shapes(), program.trainable);
  const stepsPerEpoch = Math.ceil(source.size / source.batchSize);
  const steps = stepsPerEpoch * epochs;
  const { resume, checkpoint } = options;
  const firstEpoch = resume?.epoch ?? 0;
  let [batches, step] = resume ? [resume.batch, resume.step] : [0, 0];
  let totals = resume ? { ...resume.totals } : emptyTotals();
  let lastGood = resume ? restoreTraining(resume, { model, program, optimiser }) : snapshotWeights(model);
  /** The weights at the start of an epoch, until a loss computed with them proves finite. */
  let unproven: WeightSnapshot | undefined;
  const goBack = () => {
    lastGood.restore();
    optimiser.dispose();
  };
  const placeOf = (index: number, epoch: number) => `step ${index + 1} of ${steps} (epoch ${epoch + 1})`;
  const capture = (epoch: number) => (): TrainingState => ({
    epoch,
    batch: batches,
    step,
    totals: { ...totals },
    weights: readWeights(model),
    velocities: optimiser.read(),
    lastGood: lastGood.read(),
  });
  try {
    await checkpoint?.(capture(firstEpoch), 'phase');
    for (let epoch = firstEpoch; epoch < epochs; epoch++) {
      if (epoch > 0 && batches === 0) unproven = snapshotWeights(model);
      for await (const batch of source.batches(epoch, batches)) {
        requireLabels(batch, source);
        const learningRate = learningRateAt(schedule, step, steps);
        const started = performance.now();
        const restorePrecision = usePrecision(options.precision ?? 'float32');
        let result: ReturnType<typeof trainingStep>;
        try {
          const rates = { learningRate, momentum, weightDecay };
          result = trainingStep(program, batch, optimiser, { ...rates, objective, teacher });
        } catch (error) {
          if (!(error instanceof NonFiniteLossError)) throw error;
          goBack();
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
        const images = batch.shape[0];
        totals.images += images;
        totals.labels += batch.labels.length;
        totals.loss += result.total * images;
        totals.crossEntropy += result.crossEntropy * images;
        totals.correct += result.correct;
        totals.milliseconds += milliseconds;
        yield { type: 'step', epoch, step, steps, learningRate, images, milliseconds, ...result };
        step++;
        batches++;
        await checkpoint?.(capture(epoch), 'step');
      }
      if (!hasFiniteWeights(model)) {
        goBack();
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
        accuracy: totals.correct / totals.labels,
        imagesPerSecond: (1000 * totals.images) / totals.milliseconds,
      };
      batches = 0;
      totals = emptyTotals();
    }
  } finally {
    unproven?.dispose();
    lastGood.dispose();
    if (optimiser !== options.optimiserState) optimiser.dispose();
  }
}

function prepareTeacher({ model, temperature = 4, weight = 0.9 }: Teacher, student: LayersModel): StepTeacher {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new Error(`Expected the teacher's temperature to be a number greater than 0, but received ${temperature}.`);
  }
  if (!(weight >= 0 && weight <= 1)) {
    throw new Error(`Expected the teacher's weight to be a number from 0 to 1, but received ${weight}.`);
  }
  if (String(model.outputShape) !== String(student.outputShape)) {
    throw new Error(
      `Expected a teacher with the logits of the network that learns, '${student.name}' [${student.outputShape}], but '${model.name}' has [${model.outputShape}].`,
    );
  }
  return { program: compileProgram(model), temperature, weight };
}
