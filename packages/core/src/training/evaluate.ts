import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BatchSource } from '../data.ts';
import { type Precision, usePrecision } from '../kernels/precision.ts';
import { softmaxCrossEntropy } from '../kernels/softmax-cross-entropy.ts';
import { requireClasses, requireLabels } from './labels.ts';
import { compileProgram } from './program.ts';
import { argMax } from './step.ts';
import { predict } from './walk.ts';

export interface ClassAccuracy {
  readonly className: string;
  readonly correct: number;
  /** Pixels, for a network that labels those; so are `correct` and the confusion. */
  readonly images: number;
}

export interface Evaluation {
  readonly images: number;
  /** Share of the images, or pixels, that are classified rightly, in [0, 1]. */
  readonly accuracy: number;
  /** Cross entropy, mean over the images or pixels. */
  readonly loss: number;
  readonly classes: readonly ClassAccuracy[];
  /** confusion[label][predicted]: number of images. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Classifies every image of the source once, in inference mode.
 *
 * @throws Error when the model has not one logit for each class, a label is no class, or the source gives no image.
 */
export async function evaluate(
  model: LayersModel,
  source: BatchSource,
  { precision = 'float32' }: { precision?: Precision } = {},
): Promise<Evaluation> {
  const program = compileProgram(model);
  requireClasses(model, source);
  const { classNames } = source;
  const confusion = classNames.map(() => classNames.map(() => 0));
  let loss = 0;
  let images = 0;
  let labels = 0;
  for await (const batch of source.batches(0)) {
    requireLabels(batch, source);
    const restorePrecision = usePrecision(precision);
    try {
      tf.tidy(() => {
        const logits = predict(program, tf.tensor4d(batch.images, [...batch.shape]));
        for (const value of softmaxCrossEntropy(logits, tf.tensor1d(batch.labels, 'int32')).loss.dataSync())
          loss += value;
        const values = logits.dataSync();
        batch.labels.forEach((label, image) => {
          confusion[label]![argMax(values, image * classNames.length, classNames.length)]!++;
        });
      });
    } finally {
      restorePrecision();
    }
    images += batch.shape[0];
    labels += batch.labels.length;
  }
  if (images === 0) throw new Error('Expected at least one image to evaluate on, but the source gave none.');
  const classes = classNames.map((className, label) => ({
    className,
    correct: confusion[label]![label]!,
    images: confusion[label]!.reduce((a, b) => a + b, 0),
  }));
  const correct = classes.reduce((total, { correct }) => total + correct, 0);
  return { images, accuracy: correct / labels, loss: loss / labels, classes, confusion };
}
