import { applyPlan, type BatchSource, createPlan, type LayerScores, readGraph, scoreFilters } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { arraySource, type ImageArrays } from '../array-source.ts';
import { parseCriterion } from '../criteria/parse-criterion.ts';
import type { FilterChanges, TaylorRecord } from './records.ts';
import { referenceName } from './records.ts';

const BATCH = 200;

/**
 * Removes each filter alone, by surgery, and sets what that does to the loss of each class against the estimates.
 *
 * @param images As many of each class, class by class.
 */
export async function compareWithRemoval(
  model: LayersModel,
  images: ImageArrays,
  { taus }: { readonly taus: readonly number[] },
): Promise<TaylorRecord> {
  const graph = readGraph(model);
  const alone = graph.groups.flatMap(({ units }) => units.filter(({ filters }) => filters.length === 1));
  const layers = [...new Set(alone.map(({ filters: [filter] }) => filter!.layer))];
  const losses = classLosses(model, images);
  const estimates = await estimateByClass(model, images, { layers, taus });
  const filters: FilterChanges[] = [];
  for (const { filters: ofUnit } of alone) {
    const { layer, filter } = ofUnit[0]!;
    const without = await applyPlan(model, createPlan(ofUnit), { graph });
    const after = classLosses(without, images);
    without.dispose();
    filters.push({
      layer,
      depth: layers.indexOf(layer) / Math.max(1, layers.length - 1),
      changes: after.map((loss, label) => rounded(loss - losses[label]!)),
      estimates: Object.fromEntries([...estimates].map(([name, of]) => [name, of(layer, filter).map(rounded)])),
    });
  }
  return { losses, filters };
}

/** Five digits are enough, and short. */
function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

/** Mean cross entropy of each class, in inference mode. */
export function classLosses(model: LayersModel, { images, labels, shape, classNames }: ImageArrays): number[] {
  const sums = classNames.map(() => 0);
  const counts = classNames.map(() => 0);
  const logProbabilities = tf.tidy(() => {
    const given = tf.tensor4d(images, [labels.length, ...shape]);
    return tf.logSoftmax(model.predict(given, { batchSize: BATCH }) as tf.Tensor2D).dataSync();
  });
  labels.forEach((label, image) => {
    sums[label]! -= logProbabilities[image * classNames.length + label]!;
    counts[label]!++;
  });
  return sums.map((sum, label) => sum / counts[label]!);
}

type Estimate = (layer: string, filter: number) => number[];

async function estimateByClass(
  model: LayersModel,
  images: ImageArrays,
  { layers, taus }: { readonly layers: readonly string[]; readonly taus: readonly number[] },
): Promise<Map<string, Estimate>> {
  const estimates = new Map<string, Estimate>();
  const source = arraySource(images, BATCH);
  const classes = images.classNames.map((_, label) => label);
  for (const name of ['relative', ...taus.map(referenceName)]) {
    const scores = await scoreFilters(model, source, { criterion: parseCriterion(name), layers });
    estimates.set(name, (layer, filter) => {
      const { classMatrix, filters } = find(scores, layer);
      return classes.map((label) => classMatrix[label * filters + filter]!);
    });
  }
  const byClass: LayerScores[][] = [];
  for (const label of classes) {
    byClass.push(await scoreFilters(model, onlyClass(images, label), { criterion: { kind: 'taylor' }, layers }));
  }
  estimates.set('taylor', (layer, filter) => classes.map((label) => find(byClass[label]!, layer).numerators[filter]!));
  return estimates;
}

function find(scores: readonly LayerScores[], layer: string): LayerScores {
  return scores.find((one) => one.layer === layer)!;
}

function onlyClass({ images, labels, shape, classNames }: ImageArrays, label: number): BatchSource {
  const values = shape[0] * shape[1] * shape[2];
  const [first, last] = [labels.indexOf(label), labels.lastIndexOf(label)];
  const own = {
    images: images.subarray(first * values, (last + 1) * values),
    labels: labels.subarray(first, last + 1),
  };
  return arraySource({ ...own, shape, classNames }, BATCH);
}
