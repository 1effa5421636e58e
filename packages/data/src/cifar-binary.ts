import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CIFAR10_CLASSES, CIFAR100_COARSE_CLASSES, CIFAR100_FINE_CLASSES } from './cifar-classes.ts';
import { type LabelledImages, sharedBytes } from './labelled-images.ts';

export interface TrainAndTest {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
}

const SIDE = 32;
const PLANE = SIDE * SIDE;
const PIXEL_BYTES = 3 * PLANE;

interface RecordLayout {
  /** Bytes in front of the pixels. */
  readonly labelBytes: number;
  /** Which of them holds the label. */
  readonly labelAt: number;
  readonly classNames: readonly string[];
}

/**
 * Reads the official binary version of CIFAR-10: data_batch_1.bin to data_batch_5.bin and test_batch.bin, records of one label byte
 * and 3,072 bytes (a plane each of red, green and blue); class names from batches.meta.txt where it is present.
 *
 * @throws Error naming the file if one is missing, its size is no whole number of records, or a label is out of range.
 */
export async function readCifar10Binary(directory: string): Promise<TrainAndTest> {
  const layout = { labelBytes: 1, labelAt: 0, classNames: await readClassNames(join(directory, 'batches.meta.txt')) };
  const trainFiles = [1, 2, 3, 4, 5].map((batch) => join(directory, `data_batch_${batch}.bin`));
  return {
    train: await readRecords(trainFiles, layout),
    test: await readRecords([join(directory, 'test_batch.bin')], layout),
  };
}

export interface Cifar100Options {
  /** The 100 classes (default), or their 20 superclasses. */
  readonly labels?: 'fine' | 'coarse';
}

/**
 * Reads the official binary version of CIFAR-100: train.bin and test.bin, records of a coarse label byte, a fine label byte and
 * 3,072 bytes (a plane each of red, green and blue).
 *
 * @throws Error naming the file if one is missing, its size is no whole number of records, or a label is out of range.
 */
export async function readCifar100Binary(
  directory: string,
  { labels = 'fine' }: Cifar100Options = {},
): Promise<TrainAndTest> {
  if (labels !== 'fine' && labels !== 'coarse') {
    throw new Error(`readCifar100Binary: labels must be 'fine' or 'coarse', got '${labels}'.`);
  }
  const layout =
    labels === 'fine'
      ? { labelBytes: 2, labelAt: 1, classNames: CIFAR100_FINE_CLASSES }
      : { labelBytes: 2, labelAt: 0, classNames: CIFAR100_COARSE_CLASSES };
  return {
    train: await readRecords([join(directory, 'train.bin')], layout),
    test: await readRecords([join(directory, 'test.bin')], layout),
  };
}

async function readClassNames(file: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return CIFAR10_CLASSES;
    throw error;
  }
  const names = text.split('\n').map((line) => line.trim());
  const filled = names.filter((name) => name !== '');
  if (filled.length !== CIFAR10_CLASSES.length) {
    throw new Error(`${file}: expected ${CIFAR10_CLASSES.length} class names, one a line, got ${filled.length}.`);
  }
  return filled;
}

async function readRecords(files: readonly string[], layout: RecordLayout): Promise<LabelledImages> {
  const recordBytes = layout.labelBytes + PIXEL_BYTES;
  const contents: Uint8Array[] = [];
  for (const file of files) contents.push(await readWholeRecords(file, recordBytes));
  const count = contents.reduce((sum, bytes) => sum + bytes.length / recordBytes, 0);
  const images = sharedBytes(count * PIXEL_BYTES);
  const labels = new Int32Array(count);
  let index = 0;
  for (const [position, bytes] of contents.entries()) {
    for (let start = 0; start < bytes.length; start += recordBytes) {
      const label = bytes[start + layout.labelAt]!;
      if (label >= layout.classNames.length) {
        throw new Error(
          `${files[position]}: the label of record ${start / recordBytes} must be between 0 and ` +
            `${layout.classNames.length - 1}, got ${label}. Is the file damaged, or of another data set?`,
        );
      }
      labels[index] = label;
      interleavePlanes(images, index * PIXEL_BYTES, bytes, start + layout.labelBytes);
      index += 1;
    }
  }
  return { images, labels, shape: [SIDE, SIDE, 3], classNames: layout.classNames };
}

async function readWholeRecords(file: string, recordBytes: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`${file} does not exist. Expected the unpacked binary version of CIFAR in that folder.`, {
      cause: error,
    });
  }
  if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
    throw new Error(
      `${file}: expected a whole number of records of ${recordBytes} bytes, got ${bytes.length} bytes. ` +
        'Is the file truncated, or of another data set?',
    );
  }
  return bytes;
}

/** Planes of red, green and blue -> one pixel after another. */
function interleavePlanes(target: Uint8Array, targetStart: number, source: Uint8Array, sourceStart: number): void {
  for (let pixel = 0; pixel < PLANE; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      target[targetStart + 3 * pixel + channel] = source[sourceStart + channel * PLANE + pixel]!;
    }
  }
}
