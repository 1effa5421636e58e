import type { Batch, BatchSource } from '../../src/data.ts';
import type { GoldenImages } from './golden-images.ts';

/** A source that gives the images in their order, in batches of `batchSize` (default: all at once). */
export function sourceOf(images: GoldenImages, batchSize = images.labels.length): BatchSource {
  const [count, height, width, channels] = images.shape;
  const size = height * width * channels;
  return {
    size: count,
    batchSize,
    classNames: images.classNames,
    async *batches(): AsyncIterable<Batch> {
      for (let start = 0; start < count; start += batchSize) {
        const end = Math.min(count, start + batchSize);
        yield {
          images: images.images.slice(start * size, end * size),
          labels: images.labels.slice(start, end),
          shape: [end - start, height, width, channels],
        };
      }
    },
  };
}
