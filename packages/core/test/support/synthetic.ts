import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Batch, BatchSource } from '../../src/data.ts';

/** Numbers in [-1, 1) that are the same in every run. */
export function randomNumbers(count: number, seed: number): Float32Array {
  const generator = xoroshiro128plus(seed);
  return Float32Array.from({ length: count }, () => generator.next() / 2 ** 31);
}

/**
 * Images whose class can be told: class c is brighter in column c. `perClass` images of each class, interleaved.
 */
export function stripedImages({
  classes = 3,
  perClass = 8,
  size = 8,
  batchSize = 12,
  seed = 1,
}: {
  classes?: number;
  perClass?: number;
  size?: number;
  batchSize?: number;
  seed?: number;
} = {}): BatchSource {
  const count = classes * perClass;
  const pixels = size * size * 3;
  const images = randomNumbers(count * pixels, seed);
  const labels = Int32Array.from({ length: count }, (_, image) => image % classes);
  images.forEach((value, i) => {
    const column = Math.floor(i / 3) % size;
    images[i] = value / 2 + (column === labels[Math.floor(i / pixels)] ? 1 : 0);
  });
  return {
    size: count,
    batchSize,
    classNames: Array.from({ length: classes }, (_, c) => `class ${c}`),
    async *batches(_epoch, firstBatch = 0): AsyncIterable<Batch> {
      for (let start = firstBatch * batchSize; start < count; start += batchSize) {
        const end = Math.min(count, start + batchSize);
        yield {
          images: images.slice(start * pixels, end * pixels),
          labels: labels.slice(start, end),
          shape: [end - start, size, size, 3],
        };
      }
    },
  };
}
