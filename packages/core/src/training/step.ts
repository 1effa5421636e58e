import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../data.ts';
import { softmaxCrossEntropy } from '../kernels/softmax-cross-entropy.ts';
import { distillationLoss } from '../objective/distillation.ts';
import { l1Factor, type Objective, orthogonalityPenalty } from '../objective/objective.ts';
import type { OptimiserState } from './optimiser-state.ts';
import type { Program } from './program.ts';
import { moveWeight } from './sgd.ts';
import { predict, walkBackward, walkForward } from './walk.ts';

/** What to learn from, besides the labels. */
export interface StepTeacher {
  readonly program: Program;
  readonly temperature: number;
  /** Of the distillation loss; the cross entropy has the rest of 1. */
  readonly weight: number;
}

export interface StepOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly objective: Objective;
  readonly teacher?: StepTeacher | undefined;
}

/** The terms of the objective at the weights before the step. */
export interface LossTerms {
  /** Mean over the batch. */
  readonly crossEntropy: number;
  /** Distance from the teacher: T^2 KL, mean over the batch, without its factor; 0 without a teacher. */
  readonly distillation: number;
  /** Sum over the weights that the L1 term covers, without its factor. */
  readonly l1: number;
  /** Sum over the convolutions, without its factor. */
  readonly orthogonality: number;
  readonly total: number;
}

export interface StepResult extends LossTerms {
  readonly correct: number;
  /** Part of the step's time that the teacher's forward pass took. */
  readonly teacherMilliseconds: number;
}

/** The loss was NaN or infinite, or must become so because weights are. */
export class NonFiniteLossError extends Error {
  override readonly name = 'NonFiniteLossError';
  /** NaN where weights were found before a loss. */
  readonly loss: number;

  constructor(loss: number, found: string) {
    super(`${found}. Lower the learning rate, or look for broken images.`);
    this.loss = loss;
  }
}

/**
 * One step of training: forward, loss, backward; each weight moves as soon as its gradient is there. A teacher answers to
 * the same images, in inference mode.
 *
 * @throws NonFiniteLossError when the total or one of its terms is not finite. Weights have moved by then, as losses are
 *   read after the backward walk. The caller restores them.
 */
export function trainingStep(
  program: Program,
  batch: Batch,
  optimiser: OptimiserState,
  { objective, teacher, ...rates }: StepOptions,
): StepResult {
  return tf.tidy(() => {
    const images = tf.tensor4d(batch.images, [...batch.shape]);
    const started = performance.now();
    const taught = teacher && predict(teacher.program, images);
    const teacherMilliseconds = teacher ? performance.now() - started : 0;

    const walk = walkForward(program, images, { mode: 'training' });
    const { loss, gradient } = softmaxCrossEntropy(walk.output, tf.tensor1d(batch.labels, 'int32'));
    const distilled = teacher && distillationLoss(walk.output, taught!, teacher.temperature);
    const share = teacher?.weight ?? 0;
    // The walk back disposes of it.
    const output = tf.clone(walk.output);
    for (const { movingMean, movingVariance, mean, variance } of walk.updates) {
      movingMean.assign(mean);
      movingVariance.assign(variance);
    }

    const l1Norms: tf.Scalar[] = [];
    const penalties: tf.Scalar[] = [];
    const dLogits = distilled ? tf.add(tf.mul(gradient, 1 - share), tf.mul(distilled.gradient, share)) : gradient;
    walkBackward(program, walk, tf.div(dLogits, batch.labels.length), {
      onWeight: (weight, dWeight) => {
        const penalty = orthogonalityPenalty(objective, weight);
        const l1 = l1Factor(objective, weight);
        const gradients = { gradient: dWeight, penaltyGradient: penalty?.gradient };
        const l1Norm = moveWeight(optimiser, weight, gradients, { ...rates, l1, penalty: objective.orthogonality });
        if (l1 > 0) l1Norms.push(l1Norm);
        if (penalty) {
          penalties.push(penalty.loss);
          penalty.gradient.dispose();
        }
      },
    });
    // Read at the end alone, so that a device that works on its own is waited for once.
    const crossEntropy = mean(loss.dataSync());
    const distillation = distilled ? mean(distilled.loss.dataSync()) : 0;
    const learned = (1 - share) * crossEntropy + share * distillation;
    requireFinite(learned);
    const correct = countCorrect(output.dataSync(), batch.labels);
    const l1 = sum(l1Norms);
    const orthogonality = sum(penalties);
    const total = learned + objective.l1 * l1 + objective.orthogonality * orthogonality;
    requireFinite(total);
    return { crossEntropy, distillation, l1, orthogonality, total, correct, teacherMilliseconds };
  });
}

function requireFinite(loss: number): void {
  if (!Number.isFinite(loss)) throw new NonFiniteLossError(loss, `Expected a finite loss, but it was ${loss}`);
}

/** Number of images whose largest logit is that of their label. */
export function countCorrect(logits: ArrayLike<number>, labels: ArrayLike<number>): number {
  const classes = logits.length / labels.length;
  let correct = 0;
  for (let image = 0; image < labels.length; image++) {
    if (argMax(logits, image * classes, classes) === labels[image]) correct++;
  }
  return correct;
}

/** Index, within the row, of the largest of `length` values from `start`; the first of equals. */
export function argMax(values: ArrayLike<number>, start: number, length: number): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (values[start + i]! > values[start + best]!) best = i;
  return best;
}

function mean(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total / values.length;
}

function sum(scalars: readonly tf.Scalar[]): number {
  if (scalars.length === 0) return 0;
  return tf
    .stack([...scalars])
    .dataSync<'float32'>()
    .reduce((total, value) => total + value, 0);
}
