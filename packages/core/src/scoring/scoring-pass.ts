import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Batch, BatchSource } from '../data.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import type { LayerNode } from '../graph/nodes.ts';
import { usePrecision } from '../kernels/precision.ts';
import { softmaxCrossEntropy } from '../kernels/softmax-cross-entropy.ts';
import type { TaylorInputs } from '../kernels/taylor.ts';
import { requireClasses, requireLabels } from '../training/labels.ts';
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

/** What a criterion sees of one batch at one place of a layer. */
export interface Observed<Tensors> {
  readonly layer: string;
  /** Which of the layer's places it is, from 0. */
  readonly place: number;
  readonly seen: Tensors;
  readonly batch: Batch;
  readonly classes: number;
}

export interface PassTotals {
  readonly imagesPerClass: number;
  /** The caller disposes the totals, for example with `disposeTotals`. */
  readonly layers: readonly LayerTotals[];
}

export interface LayerTotals {
  readonly layer: string;
  /** For each place where the layer is used, the sum of what the batches gave. */
  readonly totals: readonly tf.Tensor[];
}

export interface PassOptions {
  /** 'output': before batch norm and activation. 'feature map': behind both. */
  readonly at: 'output' | 'feature map';
  /** Whether classes are told apart, so that there must be as many images of each. */
  readonly byClass: boolean;
}

/** Called inside a tidy. */
type Observe<Tensors> = (observed: Observed<Tensors>) => void;

export interface SumOptions<Tensors> extends PassOptions {
  /** Called inside a tidy; the parts of all batches are added up. */
  readonly reduce: (observed: Observed<Tensors>) => tf.Tensor;
}

/**
 * Walks forward and backward over all images in float32, and shows activations and gradients of the layers as the backward
 * walk meets them. The loss of an image is divided by the number of its class's images, as if each class were a batch of
 * its own.
 *
 * Of an attention head, a * dL/da is the sum over its channels (Michel et al. 2019, arXiv 1905.10650, eq. 2).
 */
export function observeGradients(
  input: ImageScoringInput,
  options: PassOptions & { readonly observe: Observe<TaylorInputs> },
): Promise<void> {
  const imagesPerClass = imagesPerClassOf(input);
  return pass(input, options, ({ program, images, labels, taps }, see) => {
    const walk = walkForward(program, images, { mode: 'scoring', taps });
    const { gradient } = softmaxCrossEntropy(walk.output, labels);
    walkBackward(program, walk, tf.div(gradient, imagesPerClass), {
      onTap: (step, activation, dActivation) =>
        see(step, (perFilter) => {
          if (!perFilter) return { activation, gradient: dActivation, labels };
          const product = tf.sum(perFilter(tf.mul(activation, dActivation)), -1);
          return { activation: product, gradient: tf.onesLike(product), labels };
        }),
    });
  });
}

/** What {@link observeGradients} shows, reduced batch by batch. */
export function gradientPass(input: ImageScoringInput, options: SumOptions<TaylorInputs>): Promise<PassTotals> {
  return addUp(input, options, (observe) => observeGradients(input, { ...options, observe }));
}

/** The same without gradients. Of an attention head, the activation is the mean of |a| over its channels. */
export function activationPass(input: ImageScoringInput, options: SumOptions<tf.Tensor>): Promise<PassTotals> {
  return addUp(input, options, (observe) =>
    pass(input, { ...options, observe }, ({ program, images, taps }, see) => {
      const { tapped } = walkForward(program, images, { mode: 'scoring', record: false, taps });
      for (const [step, activation] of tapped) {
        see(step, (perFilter) => (perFilter ? tf.mean(tf.abs(perFilter(activation)), -1) : activation));
      }
    }),
  );
}

export function imagesPerClassOf({ source }: ImageScoringInput): number {
  return source.size / source.classNames.length;
}

async function addUp<Tensors>(
  input: ImageScoringInput,
  { reduce }: SumOptions<Tensors>,
  run: (observe: Observe<Tensors>) => Promise<void>,
): Promise<PassTotals> {
  const totals = new Map<string, tf.Tensor[]>(input.layers.map((layer) => [layer, []]));
  try {
    await run((observed) => {
      const part = reduce(observed);
      const ofLayer = totals.get(observed.layer)!;
      const before = ofLayer[observed.place];
      ofLayer[observed.place] = tf.keep(before ? tf.add(before, part) : part);
      if (before) tf.dispose([before, part]);
    });
  } catch (error) {
    tf.dispose([...totals.values()].flat());
    throw error;
  }
  return {
    imagesPerClass: imagesPerClassOf(input),
    layers: [...totals].map(([layer, ofLayer]) => ({ layer, totals: ofLayer })),
  };
}

export function disposeTotals({ layers }: PassTotals): void {
  tf.dispose(layers.flatMap(({ totals }) => [...totals]));
}

interface BatchWalk {
  readonly program: Program;
  readonly images: tf.Tensor;
  readonly labels: tf.Tensor1D;
  readonly taps: ReadonlySet<number>;
}

/** [..., filters * channels of each] -> [..., filters, channels of each]; undefined where each filter has one channel. */
type PerFilter = ((values: tf.Tensor) => tf.Tensor) | undefined;

/** A layer to be looked at behind a step. */
interface Tap {
  readonly layer: string;
  /** Which of the layer's places it is. */
  readonly place: number;
  readonly perFilter: PerFilter;
}

async function pass<Tensors>(
  input: ImageScoringInput,
  { at, byClass, observe }: PassOptions & { readonly observe: Observe<Tensors> },
  walk: (batch: BatchWalk, see: (step: number, seen: (perFilter: PerFilter) => Tensors) => void) => void,
): Promise<void> {
  const { model, source } = input;
  const program = compileProgram(model);
  requireClasses(model, source);
  const tapsAt = findTaps(input, program, at);
  const taps = new Set(tapsAt.keys());
  const classes = source.classNames.length;
  const seenOfClass = new Int32Array(classes);
  for await (const batch of source.batches(0)) {
    requireLabels(batch, source);
    if (byClass) countLabels(batch, seenOfClass);
    const restorePrecision = usePrecision('float32');
    try {
      tf.tidy(() => {
        const labels = tf.tensor1d(batch.labels, 'int32');
        const images = tf.tensor4d(batch.images, [...batch.shape]);
        walk({ program, images, labels, taps }, (step, seen) => {
          for (const { layer, place, perFilter } of tapsAt.get(step)!) {
            observe({ layer, place, seen: seen(perFilter), batch, classes });
          }
        });
      });
    } finally {
      restorePrecision();
    }
  }
  if (byClass) requireEvenClasses(seenOfClass, source);
}

/** What to look at behind each step. Several layers at one step: those that meet in an addition have one feature map together. */
function findTaps(
  { layers }: ImageScoringInput,
  program: Program,
  at: 'output' | 'feature map',
): ReadonlyMap<number, readonly Tap[]> {
  const taps = new Map<number, Tap[]>();
  for (const layer of layers) {
    const applications = program.nodes.filter(({ name }) => name === layer);
    const perFilter = perFilterOf(applications[0]!);
    const steps = applications.map((application) =>
      at === 'output' || perFilter ? program.stepOf.get(application)! : featureMapStep(application, program),
    );
    [...new Set(steps)].forEach((step, place) => {
      taps.set(step, [...(taps.get(step) ?? []), { layer, place, perFilter }]);
    });
  }
  return taps;
}

function perFilterOf({ layer, className }: LayerNode): PerFilter {
  const channels = ruleOf(className)?.filters?.channelsInside?.(layer);
  return channels === undefined
    ? undefined
    : (values) => tf.reshape(values, [...values.shape.slice(0, -1), values.shape.at(-1)! / channels, channels]);
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
