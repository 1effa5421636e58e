import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type ChannelStatistics,
  CIFAR10_STATISTICS,
  CIFAR100_STATISTICS,
  type FetchProgress,
  fetchCifar10,
  type LabelledImages,
  readCifar10Binary,
  readCifar100Binary,
  stratifiedSplit,
  type TrainAndTest,
} from '@secateur/data';
import { UsageError } from '../exit.ts';
import { type FolderFacts, type FolderReading, isImageFolder, loadImageFolder } from './image-folder.ts';

export interface Dataset extends TrainAndTest {
  readonly name: string;
  readonly statistics: ChannelStatistics;
  /** Images of their own to decide by when pruning ends; else some of those for training are held out. */
  readonly validation?: LabelledImages;
  readonly folder?: FolderFacts;
}

export interface LoadOptions {
  /** Folder of official binary files, or folder:path for one of images; by default CIFAR-10 is fetched, once. */
  readonly data?: string | undefined;
  /** For folders of images. */
  readonly folder: Pick<FolderReading, 'settings' | 'network'>;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
}

const FORMATS = [
  {
    name: 'CIFAR-10',
    file: 'data_batch_1.bin',
    folder: 'cifar-10-batches-bin',
    read: readCifar10Binary,
    statistics: CIFAR10_STATISTICS,
  },
  {
    name: 'CIFAR-100',
    file: 'train.bin',
    folder: 'cifar-100-binary',
    read: readCifar100Binary,
    statistics: CIFAR100_STATISTICS,
  },
] as const;

/** Where the images of CIFAR-10 are kept between runs. */
export const CIFAR10_CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'secateur', 'cifar10');

export function isCifar10Cached(): boolean {
  return existsSync(join(CIFAR10_CACHE, 'manifest.json'));
}

/** @throws UsageError when the folder holds no files of a known format; Error when files are damaged or cannot be fetched. */
export async function loadDataset({ data, folder, onProgress, signal }: LoadOptions): Promise<Dataset> {
  if (isImageFolder(data)) return loadImageFolder(data, { ...folder, onProgress, signal });
  if (data === undefined) {
    const images = await fetchCifar10({ cacheDir: CIFAR10_CACHE, onProgress, signal });
    return { name: 'CIFAR-10', statistics: CIFAR10_STATISTICS, ...images };
  }
  for (const { name, file, folder, read, statistics } of FORMATS) {
    const directory = [data, join(data, folder)].find((candidate) => existsSync(join(candidate, file)));
    if (directory) return { name, statistics, ...(await read(directory)) };
  }
  throw new UsageError(
    `'${data}' holds no images in a known format. Expected the unpacked binary version of CIFAR-10 (data_batch_1.bin ...) or CIFAR-100 (train.bin, test.bin), or folder:${data} if it has a sub-folder of images for each class; without --data, CIFAR-10 is downloaded.`,
  );
}

/** About `images` of them, the same share of each class; all of them for null or if there are no more. */
export function takeImages(data: LabelledImages, images: number | null, seed: number): LabelledImages {
  if (images === null || images >= data.labels.length) return data;
  const [, taken] = stratifiedSplit(data, { fraction: images / data.labels.length, seed });
  return taken;
}
