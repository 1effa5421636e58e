import type { ImageBatch } from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Invocation } from '../cli.ts';
import { isCifar10Cached } from '../run/dataset.ts';
import { firstImages, openImages } from '../run/image-sources.ts';
import { adaptDataset, isOfCifar10 } from '../run/model-data.ts';
import { imagesOf } from '../run/model-folder.ts';
import type { Sample } from '../run/precision.ts';
import type { DataFlags } from './options.ts';
import { loadDatasetFor } from './start.ts';

/** As many made-up images beside real ones. */
const BESIDE_REAL = 64;

/** Numbers of made-up images: more take much memory and tell nothing new. */
const MOST_MADE_UP = 2 ** 25;

/** What a model and its file are compared on: test images, where there are fitting ones, and made-up ones. */
export async function comparisonImages(
  invocation: Invocation<DataFlags & { readonly images: number }>,
  model: LayersModel,
): Promise<[Sample, ...Sample[]]> {
  const { flags, terminal } = invocation;
  const shapes = model.inputs.map(({ shape }) => shape.slice(1) as number[]);
  if (flags.data !== undefined || (isOfCifar10(model) && isCifar10Cached())) {
    const { test, statistics } = adaptDataset(await loadDatasetFor(invocation, { network: imagesOf(model) }), model);
    const source = openImages(test, { batchSize: 100, statistics });
    try {
      return [await firstImages(source, flags.images), madeUp(Math.min(BESIDE_REAL, flags.images), shapes)];
    } finally {
      await source.close();
    }
  }
  terminal.line('  No test images at hand: comparing on made-up ones.');
  return [madeUp(flags.images, shapes)];
}

function madeUp(most: number, shapes: readonly (readonly number[])[]): Sample {
  const largest = Math.max(...shapes.map(sizeOf));
  const count = Math.min(most, Math.max(1, Math.floor(MOST_MADE_UP / largest)));
  return { inputs: shapes.map((shape) => madeUpImages(count, shape)) };
}

/** Waves of about the spread of standardised pixels, other ones for each image. */
function madeUpImages(count: number, shape: readonly number[]): ImageBatch {
  return {
    images: Float32Array.from({ length: count * sizeOf(shape) }, (_, i) => 1.4 * Math.sin(i * i * 1e-3 + i)),
    shape: [count, ...shape],
  };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
