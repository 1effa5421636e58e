import { CIFAR10_STATISTICS } from '@secateur/data';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ImageArrays } from '../array-source.ts';

/** What an attacker may do to standardised images [n, height, width, 3] of CIFAR-10. */
export interface Attack {
  /** The largest change of a pixel's value, of 0 to 1. */
  readonly epsilon: number;
  /** 1: the fast gradient sign method (Goodfellow et al. 2015). More: projected gradient descent (Madry et al. 2018). */
  readonly steps: number;
  /** Change in each step, as a share of epsilon. */
  readonly stepSize: number;
  /** Start from a random change in place of none. */
  readonly randomStart: boolean;
  readonly seed: number;
}

export const FGSM = { steps: 1, stepSize: 1, randomStart: false } as const;

/**
 * Changes images against the network itself, so that its cross entropy rises:
 * x <- clip(x + stepSize * epsilon * sign(dL/dx)), into epsilon around the image and into the pixels that there are.
 *
 * @param images float32 [n, height, width, 3], standardised.
 * @param labels int32 [n].
 * @returns Images of the same shape; the caller's.
 */
export function attackImages(
  model: LayersModel,
  { images, labels }: { readonly images: tf.Tensor4D; readonly labels: tf.Tensor1D },
  { epsilon, steps, stepSize, randomStart, seed }: Attack,
): tf.Tensor4D {
  const { mean, std } = CIFAR10_STATISTICS;
  return tf.tidy(() => {
    const reach = tf.div(epsilon, tf.tensor1d([...std]));
    const darkest = tf.div(tf.sub(0, tf.tensor1d([...mean])), tf.tensor1d([...std]));
    const brightest = tf.div(tf.sub(1, tf.tensor1d([...mean])), tf.tensor1d([...std]));
    const lowest = tf.maximum(tf.sub(images, reach), darkest) as tf.Tensor4D;
    const highest = tf.minimum(tf.add(images, reach), brightest) as tf.Tensor4D;
    const project = (x: tf.Tensor) => tf.minimum(tf.maximum(x, lowest), highest) as tf.Tensor4D;
    const gradient = tf.grad((x) => crossEntropy(model, x as tf.Tensor4D, labels));
    const start = () => tf.add(images, tf.mul(reach, tf.randomUniform(images.shape, -1, 1, 'float32', seed + 1)));
    let attacked = randomStart ? project(start()) : tf.clone(images);
    for (let step = 0; step < steps; step++) {
      const before = attacked;
      attacked = tf.tidy(() => project(tf.add(before, tf.mul(tf.mul(stepSize, reach), tf.sign(gradient(before))))));
      before.dispose();
    }
    return attacked;
  });
}

function crossEntropy(model: LayersModel, images: tf.Tensor4D, labels: tf.Tensor1D): tf.Scalar {
  const logits = model.apply(images, { training: false }) as tf.Tensor2D;
  const ofLabel = tf.mul(tf.logSoftmax(logits), tf.oneHot(labels, logits.shape[1]));
  return tf.neg(tf.sum(ofLabel)) as tf.Scalar;
}

/** Share of the images that the network still recognises. Without an attack that of the images as they are. */
export function accuracyUnder(
  model: LayersModel,
  { images, labels, shape }: ImageArrays,
  { attack, batch }: { readonly attack?: Attack; readonly batch: number },
): number {
  const values = shape[0] * shape[1] * shape[2];
  let correct = 0;
  for (let start = 0; start < labels.length; start += batch) {
    const own = labels.subarray(start, start + batch);
    const pixels = images.subarray(start * values, (start + own.length) * values);
    correct += tf.tidy(() => {
      const given = tf.tensor4d(pixels, [own.length, ...shape]);
      const truth = tf.tensor1d(own, 'int32');
      const seen = attack ? attackImages(model, { images: given, labels: truth }, attack) : given;
      const predicted = tf.argMax(model.apply(seen, { training: false }) as tf.Tensor2D, 1);
      return tf.sum(tf.cast(tf.equal(predicted, truth), 'int32')).dataSync()[0]!;
    });
  }
  return correct / labels.length;
}
