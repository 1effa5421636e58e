import type { BatchSource } from '@secateur/core';
import {
  CIFAR10_STATISTICS,
  createBatchSource,
  createPruningSources,
  fetchCifar10,
  type LabelledImages,
  pickPerClass,
  readCifar10Binary,
  type TrainAndTest,
} from '@secateur/data';
import { IMAGES } from './study/quickstart.ts';

export interface Cifar10Options {
  /** Splits and picks images, and orders and augments those trained on. */
  readonly seed: number;
  /** Take only so many training and test images of each class; absent: all. */
  readonly perClass?: number | undefined;
  readonly testPerClass?: number | undefined;
  /** Share of the training images that is held out. Default: as in the command line's preset quickstart. */
  readonly validation?: number | undefined;
  /** Folder of the official binary files; absent: downloaded once. */
  readonly data?: string | undefined;
  /** Epochs of the training images that were seen before. Default 0. */
  readonly firstEpoch?: number;
}

/** The parts of a data set that pruning needs, and those that only a report sees. */
export interface PrunableImages {
  readonly training: BatchSource;
  readonly scoring: BatchSource;
  readonly validation: BatchSource;
  readonly test: BatchSource;
  close(): Promise<void>;
}

/** CIFAR-10 in the parts that pruning needs, as in the command line's preset quickstart. */
export async function openCifar10({
  seed,
  perClass,
  testPerClass,
  validation = IMAGES.validationFraction,
  data,
  firstEpoch,
}: Cifar10Options): Promise<PrunableImages> {
  const images = await readCifar10({ perClass, testPerClass, data });
  const sources = createPruningSources(images.train, {
    ...IMAGES,
    validationFraction: validation,
    statistics: CIFAR10_STATISTICS,
    seed,
  });
  const plain = { ...IMAGES, ...CIFAR10_STATISTICS, augment: false } as const;
  const test = createBatchSource(images.test, plain);
  return {
    ...sources,
    training: fromEpoch(sources.training, firstEpoch),
    test,
    close: async () => void (await Promise.all([sources.close(), test.close()])),
  };
}

/** The official images, or so many of each class. */
export async function readCifar10({
  perClass,
  testPerClass,
  data,
}: Pick<Cifar10Options, 'perClass' | 'testPerClass' | 'data'>): Promise<TrainAndTest> {
  const { train, test } = await (data === undefined ? fetchCifar10() : readCifar10Binary(data));
  return { train: take(train, perClass), test: take(test, testPerClass) };
}

function take(images: LabelledImages, perClass: number | undefined): LabelledImages {
  return perClass === undefined ? images : pickPerClass(images, { perClass, seed: 0 });
}

/** The source, whose epoch 0 is the given one of it: a later training of the same network sees images augmented in other ways. */
export function fromEpoch(source: BatchSource, first = 0): BatchSource {
  const { size, batchSize, classNames } = source;
  return { size, batchSize, classNames, batches: (epoch, firstBatch) => source.batches(first + epoch, firstBatch) };
}
