import { realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { TrainAndTest } from '../cifar-binary.ts';
import { type LabelledImages, sharedBytes, valuesPerImage } from '../labelled-images.ts';
import { loadSharp } from '../load-sharp.ts';
import { checkSeed } from '../random.ts';
import { defaultFolderCache, digestOf, readFolderCache, writeFolderCache } from './cache.ts';
import { type DecodeOptions, decodeImage } from './decode-image.ts';
import { type ImageFile, type ImageListing, listImages, requireEveryClass, show } from './list-images.ts';

export interface ImageFolderOptions {
  /** What every image becomes: the side of a square, or [height, width]. */
  readonly size: number | readonly [height: number, width: number];
  /** 3 (default) for sRGB, 1 for grey. */
  readonly channels?: 1 | 3;
  /** `crop` (default) scales until the shorter side fits and cuts the centre out; `stretch` gives up the proportions. */
  readonly fit?: 'crop' | 'stretch';
  /** Share of each class that is held out for the test where the folder has no `test`. Default 0.2. */
  readonly testFraction?: number;
  /** Chooses them. Default 0. */
  readonly seed?: number;
  /** So many files that cannot be decoded are skipped. Default 10. */
  readonly maxCorrupt?: number;
  /** An image of more pixels counts as such a file. Default 100 million. */
  readonly maxPixels?: number;
  /** What all images may take in memory, one byte for each value. Default 2 GiB. */
  readonly maxBytes?: number;
  /** Where decoded images are kept, or false. Default: `$XDG_CACHE_HOME/secateur/folders`, or `~/.cache/secateur/folders`. */
  readonly cacheDir?: string | false | undefined;
  /** Not called when the images are in the cache. */
  readonly onProgress?: ((progress: { readonly stage: 'decode'; readonly fraction: number }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file that could not be decoded. */
export interface SkippedImage {
  /** Seen from the folder. */
  readonly file: string;
  readonly reason: string;
}

export interface ImageFolder extends TrainAndTest {
  /** Those of `val` or `validation`, where the folder has one. */
  readonly validation?: LabelledImages;
  readonly skipped: readonly SkippedImage[];
}

/**
 * Reads a folder with a sub-folder of JPEG, PNG or WebP images for each class, or with such folders in `train`, `val` or `validation`, and
 * `test`. Class names are the folders' names, sorted by code unit; images are sorted by class and path. Hidden files and other kinds of files
 * are passed over.
 *
 * @throws Error if a folder cannot be read or does not fit that, a link is met, more files than `maxCorrupt` cannot be decoded, or the images
 *   would take more than `maxBytes`.
 */
export async function readImageFolder(
  path: string,
  {
    size,
    channels = 3,
    fit = 'crop',
    testFraction = 0.2,
    seed = 0,
    maxCorrupt = 10,
    maxPixels = 1e8,
    maxBytes = 2 ** 31,
    cacheDir = defaultFolderCache(),
    onProgress = () => {},
    signal,
  }: ImageFolderOptions,
): Promise<ImageFolder> {
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  const decoding: DecodeOptions = { shape: [height, width, channels], fit, maxPixels };
  check({ ...decoding, testFraction, maxCorrupt, maxBytes });
  checkSeed(seed, 'readImageFolder');
  signal?.throwIfAborted();

  const root = await realpath(path).catch(() => path);
  const listing = await listImages(root, { testFraction, seed });
  checkMemory(listing, decoding, maxBytes);
  const cache = cacheDir && join(cacheDir, digestOf({ root, ...decoding }).slice(0, 32));
  const key = digestOf({ root, listing, ...decoding });
  const cached = cache ? await readFolderCache(cache, key) : undefined;
  if (cached && cached.skipped.length <= maxCorrupt) return cached;

  // Where sharp does not load, no file is to blame.
  await loadSharp();
  const { train, validation = [], test } = listing;
  const all = [...train, ...validation, ...test];
  const skipped: SkippedImage[] = [];
  let done = 0;
  onProgress({ stage: 'decode', fraction: 0 });
  const decodePart = async (files: readonly ImageFile[], name: string): Promise<LabelledImages> => {
    const images = sharedBytes(files.length * valuesPerImage(decoding));
    const size = valuesPerImage(decoding);
    const decode = async (index: number): Promise<Error | undefined> => {
      signal?.throwIfAborted();
      const target = images.subarray(index * size, (index + 1) * size);
      return decodeImage(join(root, files[index]!.path), target, decoding).then(
        () => undefined,
        (error: Error) => error,
      );
    };
    const failures = await inParallel(files, async (_, index) => {
      const failure = await decode(index);
      done += 1;
      onProgress({ stage: 'decode', fraction: done / all.length });
      return failure;
    });
    // libvips has one error buffer for all its threads: only a file that is decoded alone is sure to get its own reason.
    for (const [index, { path }] of files.entries()) {
      if (failures[index]) failures[index] = await decode(index);
      if (failures[index]) skipped.push({ file: show(path), reason: reasonOf(failures[index], maxPixels) });
    }
    checkSkipped(skipped, { root, all, maxCorrupt });
    const kept = files.flatMap(({ label }, index) => (failures[index] ? [] : [{ index, label }]));
    for (const [position, { index }] of kept.entries()) {
      if (position !== index) images.copyWithin(position * size, index * size, (index + 1) * size);
    }
    if (kept.length === 0) throw new Error(`None of the images for ${name} in ${show(root)} can be decoded.`);
    if (name === 'training') requireEveryClass(kept, listing.classNames, 'the training images that can be decoded');
    return {
      images: images.subarray(0, kept.length * size),
      labels: Int32Array.from(kept, ({ label }) => label),
      shape: decoding.shape,
      classNames: listing.classNames,
    };
  };
  const folder: ImageFolder = {
    train: await decodePart(train, 'training'),
    ...(listing.validation && { validation: await decodePart(listing.validation, 'validation') }),
    test: await decodePart(test, 'the test'),
    skipped,
  };
  if (cache) await writeFolderCache(cache, key, folder);
  return folder;
}

function check(options: DecodeOptions & { testFraction: number; maxCorrupt: number; maxBytes: number }): void {
  const reject = (name: string, expected: string, value: unknown): never => {
    throw new Error(`readImageFolder: ${name} must be ${expected}, got ${JSON.stringify(value) ?? String(value)}.`);
  };
  const [height, width, channels] = options.shape;
  const isSide = (side: number) => Number.isInteger(side) && side >= 1 && side <= 16384;
  if (!isSide(height) || !isSide(width))
    reject('size', 'a whole number from 1 to 16384, or [height, width]', [height, width]);
  if (channels !== 1 && channels !== 3) reject('channels', '1 or 3', channels);
  if (options.fit !== 'crop' && options.fit !== 'stretch') reject('fit', "'crop' or 'stretch'", options.fit);
  const { testFraction, maxCorrupt, maxPixels, maxBytes } = options;
  if (!(testFraction > 0 && testFraction < 1)) reject('testFraction', 'between 0 and 1, both excluded', testFraction);
  if (!Number.isInteger(maxCorrupt) || maxCorrupt < 0) reject('maxCorrupt', 'an integer of 0 or more', maxCorrupt);
  if (!Number.isInteger(maxPixels) || maxPixels < 1) reject('maxPixels', 'a positive integer', maxPixels);
  if (!(maxBytes > 0)) reject('maxBytes', 'a positive number', maxBytes);
}

function checkMemory({ train, validation = [], test }: ImageListing, { shape }: DecodeOptions, maxBytes: number): void {
  const count = train.length + validation.length + test.length;
  const bytes = count * valuesPerImage({ shape });
  if (bytes <= maxBytes) return;
  const megabytes = (value: number) => `${Math.ceil(value / 2 ** 20)} MiB`;
  throw new Error(
    `${count} images of ${shape.join(' x ')} take ${megabytes(bytes)} in memory, more than the ${megabytes(maxBytes)} allowed. Make them smaller, take fewer, or allow more with maxBytes.`,
  );
}

function checkSkipped(
  skipped: readonly SkippedImage[],
  { root, all, maxCorrupt }: { root: string; all: readonly ImageFile[]; maxCorrupt: number },
): void {
  if (skipped.length <= maxCorrupt) return;
  const named = skipped.slice(0, 3).map(({ file, reason }) => `${file} (${reason})`);
  const more = skipped.length > 3 ? ` and ${skipped.length - 3} more` : '';
  throw new Error(
    `At least ${skipped.length} of ${all.length} images in ${show(root)} cannot be decoded, more than the ${maxCorrupt} allowed: ${named.join(', ')}${more}. Mend or remove them, or allow more with maxCorrupt.`,
  );
}

/** In few words and one line. */
function reasonOf({ message }: Error, maxPixels: number): string {
  if (/exceeds pixel limit/.test(message)) return `it has more than ${maxPixels} pixels`;
  const [line] = message.split('\n') as [string];
  return show(line.replace(/^Input buffer /, 'it ').replace(/\.$/, ''));
}

/** Results are in the order of the items. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(8, availableParallelism()) }, worker));
  return results;
}
