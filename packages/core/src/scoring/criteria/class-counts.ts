import * as tf from '@tensorflow/tfjs-core';
import { type TaylorInputs, taylorCount } from '../../kernels/taylor.ts';
import type { LayerScores } from '../criterion.ts';
import { type ImageScoringInput, imagesPerClassOf, type Observed, observeGradients } from '../scoring-pass.ts';

/**
 * Counts, at every position of a filter, the images of each class with |a * dL/da| above their layer's tau. A filter's score is the largest
 * of its positions' sums over the classes, the class matrix has the largest count of each class; the division by the images comes
 * last, so that scores are exact.
 */
export async function scoresByCounting(
  input: ImageScoringInput,
  tauOf: (layer: string) => number,
): Promise<LayerScores[]> {
  const imagesPerClass = imagesPerClassOf(input);
  const counts = new Map(input.layers.map((layer) => [layer, [] as PlaceCounts[]]));
  try {
    await observeGradients(input, {
      at: 'output',
      byClass: true,
      observe: (observed) => {
        const { layer, place, classes } = observed;
        const ofLayer = counts.get(layer)!;
        ofLayer[place] ??= new PlaceCounts(classes, imagesPerClass);
        ofLayer[place].add(observed, tauOf(layer));
      },
    });
    return await Promise.all([...counts].map(([layer, places]) => layerScores(layer, places, imagesPerClass)));
  } finally {
    for (const place of [...counts.values()].flat()) place.dispose();
  }
}

async function layerScores(
  layer: string,
  places: readonly PlaceCounts[],
  imagesPerClass: number,
): Promise<LayerScores> {
  const { classes } = places[0]!;
  const sums = await Promise.all(places.map((place) => place.largestSums()));
  const numerators = Int32Array.from(sums[0]!, (_, f) => Math.max(...sums.map((ofPlace) => ofPlace[f]!)));
  const classMatrix = Float32Array.from(
    places[0]!.largest,
    (_, cell) => Math.max(...places.map(({ largest }) => largest[cell]!)) / imagesPerClass,
  );
  const filters = numerators.length;
  const tieBreak = new Float64Array(filters);
  return { layer, filters, classes, numerators, denominator: imagesPerClass, tieBreak, classMatrix };
}

/** Counts at one place of a layer. Those of a class that has been seen whole are folded, so that few classes are held position by position. */
class PlaceCounts {
  readonly classes: number;
  /** [classes * filters], row by row: the largest count over the positions; of classes seen whole. */
  largest = new Int32Array();
  readonly #imagesPerClass: number;
  /** int32 [..., filters]: over all classes seen whole. */
  #sum: tf.Tensor | undefined;
  /** int32 [1, ..., filters] of classes that have images still to come. */
  readonly #unfinished = new Map<number, { readonly images: number; readonly counts: tf.Tensor }>();

  constructor(classes: number, imagesPerClass: number) {
    this.classes = classes;
    this.#imagesPerClass = imagesPerClass;
  }

  /** Call inside a tidy. */
  add({ seen, batch }: Observed<TaylorInputs>, threshold: number): void {
    const images = new Map<number, number>();
    for (const label of batch.labels) images.set(label, (images.get(label) ?? 0) + 1);
    const present = [...images.keys()];
    const place = new Map(present.map((label, index) => [label, index]));
    const labels = tf.tensor1d(
      Array.from(batch.labels, (label) => place.get(label)!),
      'int32',
    );
    const counts = taylorCount({ ...seen, labels }, { threshold, classes: present.length });
    if (present.every((label) => images.get(label) === this.#imagesPerClass)) {
      this.#fold(counts, present);
      return;
    }
    const rows = tf.split(counts, present.length);
    rows.forEach((row, index) => {
      this.#addToClass(present[index]!, row, images.get(present[index]!)!);
    });
  }

  /** [filters]: the largest sum over classes of a filter's positions. */
  async largestSums(): Promise<Int32Array> {
    const largest = tf.tidy(() => tf.max(tf.reshape(this.#sum!, [-1, this.#sum!.shape.at(-1)!]), 0));
    try {
      return (await largest.data()) as Int32Array;
    } finally {
      largest.dispose();
    }
  }

  dispose(): void {
    this.#sum?.dispose();
    for (const { counts } of this.#unfinished.values()) counts.dispose();
  }

  #addToClass(label: number, row: tf.Tensor, rowImages: number): void {
    const before = this.#unfinished.get(label);
    const counts = before ? tf.add(before.counts, row) : row;
    const images = (before?.images ?? 0) + rowImages;
    before?.counts.dispose();
    if (images === this.#imagesPerClass) {
      this.#unfinished.delete(label);
      this.#fold(counts, [label]);
    } else {
      this.#unfinished.set(label, { images, counts: tf.keep(counts) });
    }
  }

  /** @param counts int32 [labels, ..., filters] */
  #fold(counts: tf.Tensor, labels: readonly number[]): void {
    const filters = counts.shape.at(-1)!;
    if (this.largest.length === 0) this.largest = new Int32Array(this.classes * filters);
    const sum = tf.sum(counts, 0);
    const before = this.#sum;
    this.#sum = tf.keep(before ? tf.add(before, sum) : sum);
    before?.dispose();
    const largest = tf.max(tf.reshape(counts, [labels.length, -1, filters]), 1).dataSync();
    labels.forEach((label, row) => {
      this.largest.set(largest.subarray(row * filters, (row + 1) * filters), label * filters);
    });
  }
}
