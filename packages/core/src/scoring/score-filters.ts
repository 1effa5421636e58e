import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BatchSource } from '../data.ts';
import { usePrecision } from '../kernels/precision.ts';
import { softmaxCrossEntropy } from '../kernels/softmax-cross-entropy.ts';
import { taylorCount, taylorSum } from '../kernels/taylor.ts';
import { compileProgram } from '../training/program.ts';
import { walkBackward, walkForward } from '../training/walk.ts';
import type { Criterion, LayerScores } from './criterion.ts';

export interface ScoringOptions {
  readonly criterion: Criterion;
  /** Layers to score; default: every Conv2D. Scores belong to a layer's output before batch norm and activation. */
  readonly layers?: readonly string[];
}

/**
 * Scores filters by the number of classes that their activations matter to (arXiv 2312.05875, section III-B).
 * The network runs in inference mode and float32; all classes go through together. The loss of an image is divided by
 * the number of its class's images, as if each class were a batch of its own.
 *
 * @param source The scoring images: the same number of each class, not augmented.
 * @returns One entry for each layer, in the order of computing.
 * @throws Error when the classes have different numbers of images, or a layer is not in the model.
 */
export async function scoreFilters(
  model: LayersModel,
  source: BatchSource,
  { criterion, layers }: ScoringOptions,
): Promise<LayerScores[]> {
  const totals = await accumulateTaylor(model, source, { criterion, layers });
  try {
    return await Promise.all(
      totals.layers.map(({ layer, total }) =>
        criterion.kind === 'reference'
          ? referenceScores(layer, total, totals.imagesPerClass)
          : relativeScores(layer, total as tf.Tensor2D, criterion.rho),
      ),
    );
  } finally {
    for (const { total } of totals.layers) total.dispose();
  }
}

export interface TaylorTotals {
  readonly imagesPerClass: number;
  /** 'reference': int32 counts [classes, ..., filters]; 'relative': float32 sums [classes, filters]. The caller disposes them. */
  readonly layers: readonly { readonly layer: string; readonly total: tf.Tensor }[];
}

/** One pass over the scoring images that reduces |a * dL/da| of every scored layer inside the backward walk. */
export async function accumulateTaylor(
  model: LayersModel,
  source: BatchSource,
  { criterion, layers }: { criterion: Criterion; layers?: readonly string[] | undefined },
): Promise<TaylorTotals> {
  const program = compileProgram(model);
  const scored = layers ?? program.steps.filter(({ node }) => node.className === 'Conv2D').map(({ node }) => node.name);
  const layerOfStep = new Map(
    [...new Set(scored)].map((layer) => {
      const step = program.stepOfLayer.get(layer);
      if (step === undefined) {
        throw new Error(`Expected '${layer}' to be a layer of '${model.name}', but the model has none of that name.`);
      }
      return [step, layer] as const;
    }),
  );
  const taps = new Set(layerOfStep.keys());
  const classes = source.classNames.length;
  const imagesPerClass = source.size / classes;
  const seen = new Int32Array(classes);
  const totals = new Map<number, tf.Tensor>();

  for await (const batch of source.batches(0)) {
    for (const label of batch.labels) seen[label]!++;
    const restorePrecision = usePrecision('float32');
    try {
      tf.tidy(() => {
        const labels = tf.tensor1d(batch.labels, 'int32');
        const walk = walkForward(program, tf.tensor4d(batch.images, [...batch.shape]), { mode: 'scoring', taps });
        const { gradient } = softmaxCrossEntropy(walk.output, labels);
        walkBackward(program, walk, tf.div(gradient, imagesPerClass), {
          onTap: (step, activation, dActivation) => {
            const inputs = { activation, gradient: dActivation, labels };
            const part =
              criterion.kind === 'reference'
                ? taylorCount(inputs, { threshold: criterion.tau, classes })
                : taylorSum(inputs, { classes });
            const before = totals.get(step);
            totals.set(step, tf.keep(before ? tf.add(before, part) : part));
            if (before) tf.dispose([before, part]);
          },
        });
      });
    } finally {
      restorePrecision();
    }
  }
  const uneven = seen.findIndex((images) => images !== imagesPerClass);
  if (uneven >= 0 || imagesPerClass < 1) {
    for (const total of totals.values()) total.dispose();
    throw new Error(
      `Expected the same number of scoring images for each class, but class '${source.classNames[uneven] ?? 0}' has ${seen[uneven] ?? 0} of ${source.size} images in ${classes} classes.`,
    );
  }
  return {
    imagesPerClass,
    layers: [...layerOfStep].map(([step, layer]) => ({ layer, total: totals.get(step)! })),
  };
}

/** S(f) = max over positions of the sum over classes of count / imagesPerClass; the division comes last. */
async function referenceScores(layer: string, counts: tf.Tensor, imagesPerClass: number): Promise<LayerScores> {
  const [classes, filters] = [counts.shape[0]!, counts.shape.at(-1)!];
  const [byPosition, byClass] = tf.tidy(() => {
    const flat = tf.reshape(counts, [classes, -1, filters]);
    return [tf.max(tf.sum(flat, 0), 0), tf.max(flat, 1)];
  }) as [tf.Tensor1D, tf.Tensor2D];
  const numerators = Int32Array.from(await byPosition.data());
  const classMatrix = Float32Array.from(await byClass.data(), (count) => count / imagesPerClass);
  tf.dispose([byPosition, byClass]);
  const tieBreak = new Float64Array(filters);
  return { layer, filters, classes, numerators, denominator: imagesPerClass, tieBreak, classMatrix };
}

/** S(f) = number of classes with importance(c, f) > rho * mean over the layer of importance(c, .); ties go by mean importance. */
async function relativeScores(layer: string, sums: tf.Tensor2D, rho: number): Promise<LayerScores> {
  const [classes, filters] = sums.shape;
  const importance = (await sums.data()) as Float32Array;
  const numerators = new Int32Array(filters);
  const tieBreak = new Float64Array(filters);
  const classMatrix = new Float32Array(classes * filters);
  for (let c = 0; c < classes; c++) {
    const row = importance.subarray(c * filters, (c + 1) * filters);
    const mean = row.reduce((total, value) => total + value, 0) / filters;
    row.forEach((value, f) => {
      const ratio = mean > 0 ? value / mean : 0;
      classMatrix[c * filters + f] = ratio;
      tieBreak[f]! += ratio / classes;
      if (ratio > rho) numerators[f]!++;
    });
  }
  return { layer, filters, classes, numerators, denominator: 1, tieBreak, classMatrix };
}
