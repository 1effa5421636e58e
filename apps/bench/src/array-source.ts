import type { Batch, BatchSource } from '@secateur/core';

export interface ImageArrays {
  /** Standardised, NHWC. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  /** [height, width, channels] of one image. */
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly classNames: readonly string[];
}

/** Images in memory in their own order, the same in each epoch. */
export function arraySource({ images, labels, shape, classNames }: ImageArrays, batchSize: number): BatchSource {
  const values = shape[0] * shape[1] * shape[2];
  const size = images.length / values;
  const perImage = labels.length / size;
  return {
    size,
    batchSize,
    classNames,
    async *batches(_epoch, firstBatch = 0) {
      for (let start = firstBatch * batchSize; start < size; start += batchSize) {
        const end = Math.min(start + batchSize, size);
        yield {
          images: images.subarray(start * values, end * values),
          labels: labels.subarray(start * perImage, end * perImage),
          shape: [end - start, ...shape],
        } satisfies Batch;
      }
    },
  };
}

/** All images of a source's first epoch, as it gives them. */
export async function readAll(source: BatchSource, most = source.size): Promise<ImageArrays> {
  const batches: Batch[] = [];
  let count = 0;
  for await (const { images, labels, shape } of source.batches(0)) {
    batches.push({ images: images.slice(), labels: labels.slice(), shape });
    count += shape[0];
    if (count >= most) break;
  }
  const [, height, width, channels] = batches[0]!.shape;
  const [size, values] = [Math.min(count, most), height * width * channels];
  const perImage = batches[0]!.labels.length / batches[0]!.shape[0];
  const images = new Float32Array(count * values);
  const labels = new Int32Array(count * perImage);
  let start = 0;
  for (const batch of batches) {
    images.set(batch.images, start * values);
    labels.set(batch.labels, start * perImage);
    start += batch.shape[0];
  }
  return {
    images: images.subarray(0, size * values),
    labels: labels.subarray(0, size * perImage),
    shape: [height, width, channels],
    classNames: source.classNames,
  };
}
