import type { BatchSource } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { arraySource } from '../array-source.ts';
import { type Planting, servedClasses } from './planting.ts';

const KERNEL = 3;
const BATCH = 100;

/**
 * Images with a channel for each class, which is bright in the images of that class alone, and one channel with nothing but noise.
 *
 * @returns As many images of each class, class by class: [classes * imagesPerClass, size, size, classes + 1].
 */
export function plantedImages({ classes, imagesPerClass, size, noise, seed }: Planting): BatchSource {
  const [count, channels] = [classes * imagesPerClass, classes + 1];
  const labels = Int32Array.from({ length: count }, (_, image) => Math.floor(image / imagesPerClass));
  const images = tf.tidy(() => {
    const evidence = tf.randomUniform([count, size, size, 1], 0.5, 1.5, 'float32', 4 * seed + 1);
    const ofClass = tf.reshape(tf.oneHot(tf.tensor1d(labels, 'int32'), channels), [count, 1, 1, channels]);
    const disturbance = tf.randomNormal([count, size, size, channels], 0, noise, 'float32', 4 * seed + 2);
    return tf.add(tf.mul(evidence, ofClass), disturbance).dataSync() as Float32Array;
  });
  const classNames = Array.from({ length: classes }, (_, label) => `class ${label}`);
  return arraySource({ images, labels, shape: [size, size, channels], classNames }, BATCH);
}

/**
 * A convolution 'planted' whose filters see the evidence of the classes they serve and nothing else, ReLU, global average pooling and a
 * dense layer 'logits' that speaks for those classes. What each filter matters to is known: without noise a filter is 0 in every image of
 * a class that it does not serve.
 */
export function plantedNetwork(planting: Planting): LayersModel {
  const { classes, size, seed, filters: perKind } = planting;
  const served = servedClasses(planting);
  const [filters, channels] = [served.length, classes + 1];
  const model = sequential({
    layers: [
      layers.conv2d({
        name: 'planted',
        inputShape: [size, size, channels],
        filters,
        kernelSize: KERNEL,
        padding: 'same',
        useBias: false,
      }),
      layers.reLU({ name: 'relu' }),
      layers.globalAveragePooling2d({ name: 'pool' }),
      layers.dense({ name: 'logits', units: classes }),
    ],
  });
  tf.tidy(() => {
    // A filter of no class sees the channel of noise.
    const seen = served.map((own) => (own.length === 0 ? [classes] : own));
    const weights = tf.randomUniform([KERNEL, KERNEL, channels, filters], 0.5, 1.5, 'float32', 4 * seed + 3);
    const kernel = tf.mul(tf.div(weights, KERNEL ** 2), tf.transpose(manyHot(seen, channels)));
    model.getLayer('planted').setWeights([kernel]);
    const speaksFor = manyHot(served, classes);
    const strengths = tf.randomUniform([filters, classes], 0.5, 1.5, 'float32', 4 * seed + 4);
    const votes = tf.sub(tf.mul(strengths, speaksFor), tf.mul(0.5, tf.sub(1, speaksFor)));
    model.getLayer('logits').setWeights([tf.div(votes, perKind), tf.zeros([classes])]);
  });
  return model;
}

/** @returns [sets, length]: 1 at the members of each set. */
function manyHot(sets: readonly (readonly number[])[], length: number): tf.Tensor2D {
  return tf.tensor2d(sets.map((members) => Array.from({ length }, (_, i) => (members.includes(i) ? 1 : 0))));
}
