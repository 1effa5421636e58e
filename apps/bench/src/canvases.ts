// Segmentation of real images: CIFAR-10 at half its size, pasted on canvases.
import type { Batch, BatchSource } from '@secateur/core';
import { CIFAR10_STATISTICS, type LabelledImages, pickPerClass, stratifiedSplit } from '@secateur/data';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Cifar10Options, fromEpoch, type PrunableImages, readCifar10 } from './cifar10.ts';
import { IMAGES } from './study/quickstart.ts';

export const CANVAS = 48;
const PATCHES = 3;

export interface CanvasOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Each epoch has canvases of its own; else all have those of epoch 0. */
  readonly fresh: boolean;
}

/**
 * Canvases of one colour with a little noise, and three images at half their size at random places; a later one covers an earlier one.
 * The label of a pixel is the class of the image that it belongs to, or, as the last class, 'canvas'. About every image is used once in
 * an epoch.
 */
export function canvasSource(images: LabelledImages, { batchSize, seed, fresh }: CanvasOptions): BatchSource {
  const canvases = Math.max(1, Math.floor(images.labels.length / PATCHES));
  const background = images.classNames.length;
  return {
    size: canvases,
    batchSize,
    classNames: [...images.classNames, 'canvas'],
    async *batches(epoch, firstBatch = 0) {
      for (let start = firstBatch * batchSize; start < canvases; start += batchSize) {
        const count = Math.min(batchSize, canvases - start);
        const pixels = new Float32Array(count * CANVAS * CANVAS * 3);
        const labels = new Int32Array(count * CANVAS * CANVAS).fill(background);
        for (let i = 0; i < count; i++) {
          // Far apart, so that no two canvases draw the same numbers.
          const generator = xoroshiro128plus(
            Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul((fresh ? epoch : 0) + 1, 0x85ebca6b) ^ (start + i),
          );
          const below = (limit: number) => uniformInt(generator, 0, limit - 1);
          paint(images, { pixels, labels, canvas: i, below });
        }
        yield { images: standardise(pixels), labels, shape: [count, CANVAS, CANVAS, 3] } satisfies Batch;
      }
    },
  };
}

interface Painting {
  readonly pixels: Float32Array;
  readonly labels: Int32Array;
  readonly canvas: number;
  readonly below: (limit: number) => number;
}

function paint(images: LabelledImages, { pixels, labels, canvas, below }: Painting): void {
  const [height, width, channels] = images.shape;
  const origin = canvas * CANVAS * CANVAS;
  const colour = Array.from({ length: channels }, () => 16 + below(224));
  for (let i = 0; i < CANVAS * CANVAS * channels; i++) {
    pixels[origin * channels + i] = colour[i % channels]! + below(33) - 16;
  }
  for (let patch = 0; patch < PATCHES; patch++) {
    const image = below(images.labels.length);
    const [top, left] = [below(CANVAS - height / 2 + 1), below(CANVAS - width / 2 + 1)];
    for (let y = 0; y < height / 2; y++) {
      for (let x = 0; x < width / 2; x++) {
        const at = origin + (top + y) * CANVAS + left + x;
        labels[at] = images.labels[image]!;
        for (let channel = 0; channel < channels; channel++) {
          const value = (dy: number, dx: number) =>
            images.images[((image * height + 2 * y + dy) * width + 2 * x + dx) * channels + channel]!;
          pixels[at * channels + channel] = (value(0, 0) + value(0, 1) + value(1, 0) + value(1, 1)) / 4;
        }
      }
    }
  }
}

function standardise(pixels: Float32Array): Float32Array {
  const { mean, std } = CIFAR10_STATISTICS;
  return pixels.map((value, i) => (value / 255 - mean[i % 3]!) / std[i % 3]!);
}

/** Canvases of CIFAR-10 in the parts that pruning needs; none shows an image of another part. */
export async function openCanvases({
  seed,
  firstEpoch,
  validation = IMAGES.validationFraction,
  ...which
}: Cifar10Options): Promise<PrunableImages> {
  const { train, test } = await readCifar10(which);
  const [rest, heldOut] = stratifiedSplit(train, { fraction: validation, seed });
  const { batchSize } = IMAGES;
  const still = { batchSize, seed, fresh: false };
  return {
    training: fromEpoch(canvasSource(rest, { batchSize, seed, fresh: true }), firstEpoch),
    scoring: canvasSource(pickPerClass(rest, { perClass: IMAGES.imagesPerClass, seed }), still),
    validation: canvasSource(heldOut, still),
    test: canvasSource(test, still),
    close: async () => {},
  };
}
