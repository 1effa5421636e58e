import { type Augmentation, type ClosableBatchSource, createBatchSource } from './batches/batch-source.ts';
import type { LabelledImages } from './labelled-images.ts';
import { pickPerClass, stratifiedSplit } from './splits.ts';
import { type ChannelStatistics, channelStatistics } from './statistics.ts';

export interface PruningSourcesOptions {
  /** Default 128. Scoring takes at most 50 at a time. */
  readonly batchSize?: number;
  /** Default: those of the images. */
  readonly statistics?: ChannelStatistics;
  /** Share of the images that is held out to decide when pruning ends. Default 0.1. */
  readonly validationFraction?: number;
  /** Images of their own to decide by, such as a folder's: then none are held out. */
  readonly validation?: LabelledImages | undefined;
  /** Scoring images of each class. Default 10, as in arXiv 2312.05875. */
  readonly imagesPerClass?: number;
  /** Of the images trained on. Default: mirrored, and shifted by up to 4 pixels. */
  readonly augment?: Augmentation;
  /** Default 0. */
  readonly seed?: number;
}

/** The parts of a training set that pruning needs. */
export interface PruningSources {
  /** Shuffled and augmented. */
  readonly training: ClosableBatchSource;
  /** The same number of images of each class, taken from those trained on, as they are. */
  readonly scoring: ClosableBatchSource;
  /** Images that are never trained on, as they are. */
  readonly validation: ClosableBatchSource;
  close(): Promise<void>;
}

/** Scoring keeps every activation until its gradient comes back, and is no faster with more images at a time. */
const LARGEST_SCORING_BATCH = 50;

/**
 * Splits labelled images into the sources that `train` and `classAwarePruning` of `@secateur/core` take.
 *
 * @throws Error when the fraction leaves nothing to validate on, or a class has too few images.
 */
export function createPruningSources(
  images: LabelledImages,
  {
    batchSize = 128,
    statistics = channelStatistics(images),
    validationFraction = 0.1,
    validation,
    imagesPerClass = 10,
    augment = { flip: true, cropPadding: 4 },
    seed = 0,
  }: PruningSourcesOptions = {},
): PruningSources {
  const [rest, heldOut] = validation
    ? [images, validation]
    : stratifiedSplit(images, { fraction: validationFraction, seed });
  if (heldOut.labels.length === 0 && !validation) {
    throw new Error(
      `Expected validationFraction to hold out at least one image, but ${validationFraction} of ${images.labels.length} images is none. Raise it, or take more images.`,
    );
  }
  const plain = { batchSize, ...statistics };
  const sources = {
    training: createBatchSource(rest, { ...plain, shuffle: true, augment, seed }),
    scoring: createBatchSource(pickPerClass(rest, { perClass: imagesPerClass, seed }), {
      ...plain,
      batchSize: Math.min(batchSize, LARGEST_SCORING_BATCH),
    }),
    validation: createBatchSource(heldOut, plain),
  };
  return {
    ...sources,
    async close() {
      await Promise.all(Object.values(sources).map((source) => source.close()));
    },
  };
}
