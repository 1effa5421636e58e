import type { BatchSource } from '@secateur/core';
import {
  CIFAR10_STATISTICS,
  createBatchSource,
  createPruningSources,
  fetchCifar10,
  type LabelledImages,
  pickPerClass,
  readCifar10Binary,
} from '@secateur/data';
import { IMAGES } from './keeping/protocol.ts';

export interface Cifar10Options {
  /** Splits and picks images, and orders and augments those trained on. */
  readonly seed: number;
  /** Take only so many training and test images of each class; absent: all. */
  readonly perClass?: number | undefined;
  readonly testPerClass?: number | undefined;
  /** Folder of the official binary files; absent: downloaded once. */
  readonly data?: string | undefined;
}

export interface Cifar10 {
  /** No two trainings see the same epoch of it. */
  readonly training: BatchSource;
  readonly scoring: BatchSource;
  readonly validation: BatchSource;
  readonly test: BatchSource;
  close(): Promise<void>;
}

/** CIFAR-10 in the parts that pruning needs, as in the command line's preset quickstart. */
export async function openCifar10({ seed, perClass, testPerClass, data }: Cifar10Options): Promise<Cifar10> {
  const images = await (data === undefined ? fetchCifar10() : readCifar10Binary(data));
  const sources = createPruningSources(take(images.train, perClass), {
    ...IMAGES,
    statistics: CIFAR10_STATISTICS,
    seed,
  });
  const plain = { ...IMAGES, ...CIFAR10_STATISTICS, augment: false } as const;
  const test = createBatchSource(take(images.test, testPerClass), plain);
  return {
    ...sources,
    training: continueEpochs(sources.training),
    test,
    close: async () => void (await Promise.all([sources.close(), test.close()])),
  };
}

function take(images: LabelledImages, perClass: number | undefined): LabelledImages {
  return perClass === undefined ? images : pickPerClass(images, { perClass, seed: 0 });
}

/** Counts epochs on from one training to the next, so that none sees the same augmented images again. */
function continueEpochs(source: BatchSource): BatchSource {
  const { size, batchSize, classNames } = source;
  let epoch = 0;
  return { size, batchSize, classNames, batches: (_, firstBatch) => source.batches(epoch++, firstBatch) };
}
