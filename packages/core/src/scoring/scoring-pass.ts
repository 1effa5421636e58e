import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Batch, BatchSource } from '../data.ts';
import { usePrecision } from '../kernels/precision.ts';
import { softmaxCrossEntropy } from '../kernels/softmax-cross-entropy.ts';
import type { TaylorInputs } from '../kernels/taylor.ts';
import { compileProgram, type Program } from '../training/program.ts';
import { walkBackward, walkForward } from '../training/walk.ts';
import { featureMapStep } from './feature-map.ts';

export interface ScoringInput {
  readonly model: LayersModel;
  /** Names of the layers to score. */
  readonly layers: readonly string[];
}

export interface ImageScoringInput extends ScoringInput {
  /** Not augmented. */
  readonly source: BatchSource;
}

/** What a criterion sees of one batch at one layer. */
export interface Observed<Tensors> {
  readonly layer: string;
  readonly seen: Tensors;
  readonly classes: number;
}

export interface PassTotals {
  readonly imagesPerClass: number;
  /** For each layer the sum of what the batches gave. The caller disposes them. */
  readonly layers: readonly { readonly layer: string; readonly total: tf.Tensor }[];
}

export interface PassOptions<Tensors> {
  /** 'output': before batch norm and activation. 'feature map': behind both. */
  readonly at: 'output' | 'feature map';
  /** Whether classes are told apart, so that there must be as many images of each. */
  readonly byClass: boolean;
  /** Called inside a tidy; the parts of all batches are added up. */
  readonly reduce: (observed: Observed<Tensors>) => tf.Tensor;
}

/**
 * Walks forward and backward over all images in float32, and reduces activations and gradients of the layers as the backward
 * walk meets them. The loss of an image is divided by the number of its class's images, as if each class were a batch of
 * its own.
 */
export function gradientPass(input: ImageScoringInput, options: PassOptions<TaylorInputs>): Promise<PassTotals> {
  return pass(input, options, ({ program, images, labels, taps, imagesPerClass }, see) => {
    const walk = walkForward(program, images, { mode: 'scoring', taps });
    const { gradient } = softmaxCrossEntropy(walk.output, labels);
    walkBackward(program, walk, tf.div(gradient, imagesPerClass), {
      onTap: (step, activation, dActivation) => see(step, { activation, gradient: dActivation, labels }),
    });
  });
}

/** The same without gradients. */
export function activationPass(input: ImageScoringInput, options: PassOptions<tf.Tensor>): Promise<PassTotals> {
  return pass(input, options, ({ program, images, taps }, see) => {
    const { tapped } = walkForward(program, images, { mode: 'scoring', record: false, taps });
    for (const [step, activation] of tapped) see(step, activation);
  });
}

interface BatchWalk {
  readonly program: Program;
  readonly images: tf.Tensor;
  readonly labels: tf.Tensor1D;
  readonly taps: ReadonlySet<number>;
  readonly imagesPerClass: number;
}

async function pass<Tensors>(
  { model, source, layers }: ImageScoringInput,
  { at, byClass, reduce }: PassOptions<Tensors>,
  walk: (batch: BatchWalk, see: (step: number, seen: Tensors) => void) => void,
): Promise<PassTotals> {
  const program = compileProgram(model);
  // Several layers at one step: those that meet in an addition have one feature map together.
  const layersOf = new Map<number, string[]>();
  for (const layer of layers) {
    const step = at === 'output' ? program.stepOfLayer.get(layer)! : featureMapStep(layer, { model, program });
    layersOf.set(step, [...(layersOf.get(step) ?? []), layer]);
  }
  const taps = new Set(layersOf.keys());
  const classes = source.classNames.length;
  const imagesPerClass = source.size / classes;
  const seenOfClass = new Int32Array(classes);
  const totals = new Map<string, tf.Tensor>();
  try {
    for await (const batch of source.batches(0)) {
      if (byClass) countLabels(batch, seenOfClass);
      const restorePrecision = usePrecision('float32');
      try {
        tf.tidy(() => {
          const labels = tf.tensor1d(batch.labels, 'int32');
          const images = tf.tensor4d(batch.images, [...batch.shape]);
          walk({ program, images, labels, taps, imagesPerClass }, (step, seen) => {
            for (const layer of layersOf.get(step)!) {
              const part = reduce({ layer, seen, classes });
              const before = totals.get(layer);
              totals.set(layer, tf.keep(before ? tf.add(before, part) : part));
              if (before) tf.dispose([before, part]);
            }
          });
        });
      } finally {
        restorePrecision();
      }
    }
    if (byClass) requireEvenClasses(seenOfClass, source);
  } catch (error) {
    tf.dispose([...totals.values()]);
    throw error;
  }
  return { imagesPerClass, layers: layers.map((layer) => ({ layer, total: totals.get(layer)! })) };
}

function countLabels({ labels, shape: [images] }: Batch, seenOfClass: Int32Array): void {
  if (labels.length !== images) {
    throw new Error(
      `Expected one label for each of ${images} scoring images, but got ${labels.length}. A network that labels pixels can be scored by criteria that are not class-aware, such as 'taylor'.`,
    );
  }
  for (const label of labels) seenOfClass[label]!++;
}

function requireEvenClasses(seen: Int32Array, { size, classNames }: BatchSource): void {
  const imagesPerClass = size / classNames.length;
  const uneven = seen.findIndex((images) => images !== imagesPerClass);
  if (uneven < 0 && imagesPerClass >= 1) return;
  throw new Error(
    `Expected the same number of scoring images for each class, but class '${classNames[uneven] ?? 0}' has ${seen[uneven] ?? 0} of ${size} images in ${classNames.length} classes.`,
  );
}
