import { basename, resolve } from 'node:path';
import {
  type ChannelStatistics,
  channelStatistics,
  type FetchProgress,
  readImageFolder,
  type SkippedImage,
} from '@secateur/data';
import { z } from 'zod';
import { UsageError } from '../exit.ts';
import type { Dataset } from './dataset.ts';

const side = z.int().min(1).max(16384);

/** How image folders are read. */
export const imageFolderFields = z.strictObject({
  size: z
    .union([side, z.tuple([side, side])])
    .nullable()
    .describe('Side of the images, or [height, width]; null takes what the network takes, 32 for those built here.'),
  fit: z
    .enum(['crop', 'stretch'])
    .nullable()
    .describe(
      'Whether what is not of that shape is cut or stretched; null takes what the network was trained on, or crop.',
    ),
  testFraction: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .describe('Share of each class held out where there is no test folder; null: as for the network, or 0.2.'),
  splitSeed: z
    .int()
    .min(0)
    .max(0xffffffff)
    .nullable()
    .describe('Chooses them; null: as for the network, or 0. The seed of the run does not change the test images.'),
  maxCorrupt: z.int().min(0).describe('So many files that cannot be decoded are skipped.'),
  maxGigabytes: z.number().positive().describe('What all images may take in memory, in GiB.'),
  statistics: z
    .strictObject({ mean: z.array(z.number()).min(1), std: z.array(z.number().positive()).min(1) })
    .nullable()
    .describe(
      'Of each channel from 0 to 1, to standardise by; null: those that the network was trained with, or of the training images.',
    ),
});

export type ImageFolderSettings = z.infer<typeof imageFolderFields>;

export const IMAGE_FOLDER: ImageFolderSettings = {
  size: null,
  fit: null,
  testFraction: null,
  splitSeed: null,
  maxCorrupt: 10,
  maxGigabytes: 2,
  statistics: null,
};

/** What has to be the same again when a network meets its images again. */
export const folderFormSchema = z.object({
  fit: z.enum(['crop', 'stretch']),
  testFraction: z.number(),
  splitSeed: z.number(),
});

export type FolderForm = z.infer<typeof folderFormSchema>;

/** What is known of the images that a network takes; null sizes are free. */
export interface NetworkImages {
  readonly height: number | null;
  readonly width: number | null;
  readonly channels: number | null;
  readonly folderForm?: FolderForm | undefined;
}

/** That of the networks that are built here. */
const USUAL_SIDE = 32;

const PREFIX = 'folder:';

export function isImageFolder(data: string | undefined): data is string {
  return data?.startsWith(PREFIX) ?? false;
}

/** The same place seen from anywhere, of a path or folder:path. */
export function resolveData(data: string, base = '.'): string {
  return isImageFolder(data) ? `${PREFIX}${resolve(base, data.slice(PREFIX.length))}` : resolve(base, data);
}

export interface FolderReading {
  readonly settings: ImageFolderSettings;
  /** Undefined for a network that is yet to be built. */
  readonly network?: NetworkImages | undefined;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws UsageError when the setting and the network do not fit together; Error as `readImageFolder` does. */
export async function loadImageFolder(
  data: string,
  { settings, network, onProgress, signal }: FolderReading,
): Promise<Dataset> {
  const path = data.slice(PREFIX.length);
  if (path === '') throw new UsageError(`Expected a path after '${PREFIX}', such as --data folder:photos.`);
  const form: FolderForm = {
    fit: settings.fit ?? network?.folderForm?.fit ?? 'crop',
    testFraction: settings.testFraction ?? network?.folderForm?.testFraction ?? 0.2,
    splitSeed: settings.splitSeed ?? network?.folderForm?.splitSeed ?? 0,
  };
  const channels = network?.channels ?? 3;
  if (channels !== 1 && channels !== 3) {
    throw new Error(`The model takes images of ${channels} channels, but image folders give 1 (grey) or 3 (colour).`);
  }
  const { train, test, validation, skipped } = await readImageFolder(path, {
    size: settings.size ?? [network?.height ?? USUAL_SIDE, network?.width ?? USUAL_SIDE],
    channels,
    fit: form.fit,
    testFraction: form.testFraction,
    seed: form.splitSeed,
    maxCorrupt: settings.maxCorrupt,
    maxBytes: settings.maxGigabytes * 2 ** 30,
    onProgress,
    signal,
  });
  const { statistics } = settings;
  if (statistics) requireChannels(statistics, channels);
  return {
    name: basename(resolve(path)),
    train,
    test,
    ...(validation && { validation }),
    statistics: statistics ?? usable(channelStatistics(train)),
    folder: { form, skipped, hasOwnStatistics: statistics !== null },
  };
}

function requireChannels({ mean, std }: ChannelStatistics, channels: number): void {
  if (mean.length === channels && std.length === channels) return;
  throw new UsageError(
    `Expected a mean and a standard deviation for each of the ${channels} channels, but ${mean.length} and ${std.length} are given.`,
  );
}

/** A channel that is the same everywhere has nothing to be divided by. */
function usable({ mean, std }: ChannelStatistics): ChannelStatistics {
  return { mean, std: std.map((value) => (value > 0 ? value : 1)) };
}

/** What only data sets from folders know. */
export interface FolderFacts {
  readonly form: FolderForm;
  readonly skipped: readonly SkippedImage[];
  /** Whether the user has said how to standardise. */
  readonly hasOwnStatistics: boolean;
}
