import * as tf from '@tensorflow/tfjs-core';
import { tidyResult } from '../kernels/tidy-result.ts';
import type { Forward, Mode, StatisticsUpdate, TrainableWeight } from './operation.ts';
import type { Program } from './program.ts';

/** What the forward walk leaves behind for the backward walk. */
export interface ForwardWalk {
  readonly mode: Mode;
  readonly output: tf.Tensor2D;
  readonly records: readonly Forward[];
  readonly updates: readonly StatisticsUpdate[];
  /** Outputs of the tapped steps. */
  readonly tapped: ReadonlyMap<number, tf.Tensor>;
}

export interface BackwardHandlers {
  /**
   * Called as soon as a weight's gradient is known, which for a layer in several places is the sum of theirs; the walk frees
   * the gradient afterwards. Absent: no weight gradients.
   */
  readonly onWeight?: (weight: TrainableWeight, gradient: tf.Tensor) => void;
  /** Called with a tapped step's output and the gradient with respect to it; the walk frees both afterwards. */
  readonly onTap?: (step: number, activation: tf.Tensor, gradient: tf.Tensor) => void;
}

/** Computes the output for `images` and frees every activation after its last use. */
export function predict(program: Program, images: tf.Tensor): tf.Tensor2D {
  return walkForward(program, images, { mode: 'inference', record: false }).output;
}

/**
 * The forward walk. Each activation is freed once its last reader has run, except for what the backward steps saved.
 * Call inside a tidy, so that nothing stays behind when an operation throws.
 */
export function walkForward(
  program: Program,
  images: tf.Tensor,
  { mode, record = true, taps = new Set() }: { mode: Mode; record?: boolean; taps?: ReadonlySet<number> },
): ForwardWalk {
  const { steps } = program;
  const readers = steps.map(() => 0);
  for (const step of steps) for (const input of step.inputs) readers[input]!++;
  const outputs: tf.Tensor[] = [];
  const records: Forward[] = [];
  const updates: StatisticsUpdate[] = [];
  const tapped = new Map<number, tf.Tensor>();

  steps.forEach((step, index) => {
    const inputs = step.inputs.length === 0 ? [images] : step.inputs.map((input) => outputs[input]!);
    const forward = tidyResult(() => step.operation.forward(inputs, mode));
    outputs.push(forward.output);
    if (forward.updates) updates.push(...forward.updates);
    if (taps.has(index)) tapped.set(index, tf.clone(forward.output));
    if (record) records.push(forward);
    else tf.dispose([...forward.saved]);
    for (const input of step.inputs) if (--readers[input]! === 0) outputs[input]!.dispose();
  });
  const together = mode === 'training' ? addUpShared(updates) : updates;
  return { mode, output: outputs.at(-1) as tf.Tensor2D, records, updates: together, tapped };
}

/** Batch norm in several places moves its statistics by as much as all of them say. */
function addUpShared(updates: readonly StatisticsUpdate[]): readonly StatisticsUpdate[] {
  const sums = new Map<tf.Variable, StatisticsUpdate>();
  for (const update of updates) {
    const { movingMean, movingVariance } = update;
    const before = sums.get(movingMean);
    if (!before) {
      sums.set(movingMean, update);
      continue;
    }
    const [mean, variance] = tf.tidy(() => [
      tf.add(before.mean, tf.sub(update.mean, movingMean)),
      tf.add(before.variance, tf.sub(update.variance, movingVariance)),
    ]) as [tf.Tensor, tf.Tensor];
    tf.dispose([before.mean, before.variance, update.mean, update.variance]);
    sums.set(movingMean, { ...update, mean, variance, samples: before.samples + update.samples });
  }
  return [...sums.values()];
}

/**
 * The backward walk: every gradient is freed as soon as it is consumed, and what a step saved as soon as the step is done.
 *
 * @param dOutput dLoss / dOutput; stays the caller's.
 */
export function walkBackward(
  program: Program,
  { mode, records, tapped }: ForwardWalk,
  dOutput: tf.Tensor,
  { onWeight, onTap }: BackwardHandlers,
): void {
  if (onWeight && mode === 'scoring')
    throw new Error('Expected no gradients of weights to be asked of a scoring walk.');
  const { steps } = program;
  const needed: boolean[] = [];
  steps.forEach((step, index) => {
    const own = tapped.has(index) || (onWeight !== undefined && step.operation.trainable.length > 0);
    needed.push(own || step.inputs.some((input) => needed[input]));
  });
  const sums = new Map<string, { gradient: tf.Tensor; steps: number }>();
  /** The weight's gradient, once all steps that use it have given their parts. */
  const complete = (key: string, part: tf.Tensor): tf.Tensor | undefined => {
    const uses = program.sharedWeights.get(key);
    if (uses === undefined) return part;
    const before = sums.get(key);
    const sum = { gradient: accumulate(before?.gradient, part), steps: (before?.steps ?? 0) + 1 };
    sums.set(key, sum);
    return sum.steps === uses ? sum.gradient : undefined;
  };
  const gradients: (tf.Tensor | undefined)[] = steps.map(() => undefined);
  gradients[steps.length - 1] = tf.clone(dOutput);

  for (let index = steps.length - 1; index >= 0; index--) {
    const { operation, inputs } = steps[index]!;
    const record = records[index]!;
    const dy = gradients[index];
    if (dy && needed[index]) {
      const activation = tapped.get(index);
      if (activation) {
        onTap?.(index, activation, dy);
        activation.dispose();
      }
      const wanted = { inputs: inputs.some((input) => needed[input]), weights: onWeight !== undefined };
      if (wanted.inputs || (wanted.weights && operation.trainable.length > 0)) {
        const backward = tidyResult(() => record.backward(dy, wanted));
        dy.dispose();
        tf.dispose([...record.saved]);
        operation.trainable.forEach((weight, i) => {
          const part = backward.weights[i];
          const gradient = part && complete(weight.key, part);
          if (!gradient) return;
          onWeight?.(weight, gradient);
          gradient.dispose();
        });
        inputs.forEach((input, i) => {
          const dx = backward.inputs[i];
          if (dx) gradients[input] = needed[input] ? accumulate(gradients[input], dx) : discard(dx);
        });
        continue;
      }
    }
    dy?.dispose();
    tf.dispose([...record.saved]);
  }
}

function accumulate(sum: tf.Tensor | undefined, gradient: tf.Tensor): tf.Tensor {
  if (!sum) return gradient;
  const total = tf.add(sum, gradient);
  tf.dispose([sum, gradient]);
  return total;
}

function discard(gradient: tf.Tensor): undefined {
  gradient.dispose();
}
