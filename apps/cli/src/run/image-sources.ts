import type { BatchSource } from '@secateur/core';
import type { ChannelStatistics, LabelledImages } from '@secateur/data';
import { type ClosableBatchSource, createBatchSource, createPruningSources } from '@secateur/data';
import { type Dataset, takeImages } from './dataset.ts';
import type { RunConfig } from './run-config.ts';

/** The images of a run, in the parts that it uses them for. */
export interface ImageSources {
  readonly training: BatchSource;
  readonly scoring: BatchSource;
  readonly validation: BatchSource;
  readonly test: BatchSource;
  close(): Promise<void>;
}

export type ImageSourceOptions = Pick<
  RunConfig,
  'seed' | 'batchSize' | 'trainingImages' | 'testImages' | 'validationFraction' | 'imagesPerClass' | 'augment'
>;

/**
 * Splits and picks by the run's seed; the test images are the data set's own. There is something to close once the first batch was asked for.
 *
 * @throws Error when the images do not fit the options.
 */
export function openImageSources(
  { train, test, validation, statistics }: Dataset,
  { trainingImages, testImages, augment, ...options }: ImageSourceOptions,
): ImageSources {
  const { seed, batchSize } = options;
  const sources = createPruningSources(takeImages(train, trainingImages, seed), {
    ...options,
    augment: { ...augment, cropPadding: paddingFor(train, augment) },
    validation,
    statistics,
  });
  const testSource = openImages(takeImages(test, testImages, seed), { batchSize, statistics });
  return {
    ...sources,
    test: testSource,
    async close() {
      await Promise.all([sources.close(), testSource.close()]);
    },
  };
}

/** The same for work that scores nothing: classes may have fewer images than that would take. */
export function openTrainingSources(dataset: Dataset, options: ImageSourceOptions): ImageSources {
  return openImageSources(dataset, { ...options, imagesPerClass: 1 });
}

/** The configuration speaks of images of 32 pixels; larger ones are shifted in proportion. */
function paddingFor({ shape: [height, width] }: LabelledImages, { cropPadding }: RunConfig['augment']): number {
  return Math.round((cropPadding * Math.min(height, width)) / 32);
}

/** Images in their order, as they are. */
export function openImages(
  data: LabelledImages,
  { batchSize, statistics }: { batchSize: number; statistics: ChannelStatistics },
): ClosableBatchSource {
  return createBatchSource(data, { batchSize, ...statistics });
}

export interface ImageSample {
  /** Standardised, NHWC. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly shape: readonly number[];
}

/** The first images of a source, in one piece. */
export async function firstImages(source: BatchSource, most: number): Promise<ImageSample> {
  const parts: { images: Float32Array; labels: Int32Array }[] = [];
  let missing = Math.min(most, source.size);
  let imageShape: readonly number[] = [];
  for await (const { images, labels, shape } of source.batches(0)) {
    const taken = Math.min(missing, labels.length);
    imageShape = shape.slice(1);
    // Copies: a batch's arrays are taken back when the next one is asked for.
    parts.push({ images: images.slice(0, (taken * images.length) / labels.length), labels: labels.slice(0, taken) });
    missing -= taken;
    if (missing === 0) break;
  }
  const labels = Int32Array.from(parts.flatMap((part) => [...part.labels]));
  const valuesOfImage = imageShape.reduce((product, size) => product * size, 1);
  const images = new Float32Array(labels.length * valuesOfImage);
  let offset = 0;
  for (const part of parts) {
    images.set(part.images, offset);
    offset += part.images.length;
  }
  return { images, labels, shape: [labels.length, ...imageShape] };
}
