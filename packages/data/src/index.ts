export {
  type Augmentation,
  type BatchSourceOptions,
  type ClosableBatchSource,
  createBatchSource,
} from './batches/batch-source.ts';
export { type ContinuedSource, continueEpochs } from './batches/continue-epochs.ts';
export { type Cifar100Options, readCifar10Binary, readCifar100Binary, type TrainAndTest } from './cifar-binary.ts';
export { CIFAR10_CLASSES, CIFAR100_COARSE_CLASSES, CIFAR100_FINE_CLASSES } from './cifar-classes.ts';
export { CIFAR10_ARCHIVE, type Cifar10Archive } from './cifar10-archive/archive.ts';
export { type FetchCifar10Options, type FetchProgress, fetchCifar10 } from './fetch-cifar10.ts';
export {
  type ImageFolder,
  type ImageFolderOptions,
  readImageFolder,
  type SkippedImage,
} from './image-folder/read-image-folder.ts';
export { type LabelledImages, subset } from './labelled-images.ts';
export { createPruningSources, type PruningSources, type PruningSourcesOptions } from './pruning-sources.ts';
export { selectClasses } from './select-classes.ts';
export { type PickPerClassOptions, pickPerClass, type StratifiedSplitOptions, stratifiedSplit } from './splits.ts';
export { type ChannelStatistics, CIFAR10_STATISTICS, CIFAR100_STATISTICS, channelStatistics } from './statistics.ts';
