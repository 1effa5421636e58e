import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { Batch, BatchSource } from '@secateur/core';
import { checkLabelledImages, type LabelledImages, sharedBytes } from '../labelled-images.ts';
import { checkSeed } from '../random.ts';
import type { ChannelStatistics } from '../statistics.ts';
import { BatchWorkerThread } from './batch-worker-thread.ts';
import type { Recipe } from './compose.ts';

export interface Augmentation {
  /** Mirror each image left to right with probability 1/2. Default false. */
  readonly flip?: boolean;
  /** Surround the image with that many zero pixels, and take a random window of the old size. Default 0. */
  readonly cropPadding?: number;
}

export interface BatchSourceOptions extends ChannelStatistics {
  readonly batchSize: number;
  /** A new order each epoch. Default false. */
  readonly shuffle?: boolean;
  /** Default false. */
  readonly augment?: Augmentation | false;
  /** Fixes order and augmentation: the same (seed, epoch) gives the same batches, bit for bit. Default 0. */
  readonly seed?: number;
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
}

export interface ClosableBatchSource extends BatchSource {
  /** Ends the worker thread. An epoch that is under way, or asked for later, ends with an Error. */
  close(): Promise<void>;
}

/**
 * Batches of standardised float32 images, (pixel / 255 - mean) / std, prepared ahead in a worker thread. The arrays of a batch
 * are taken back once the next one is asked for. One source gives one epoch at a time; leaving an epoch early is fine.
 *
 * Augmentation flips first, then crops; the padding is black, as in torchvision (zero before standardising).
 *
 * @throws Error if an option is out of range, or labels, images and class names do not fit together. Iterating rejects if the worker
 *   fails or the source is closed.
 */
export function createBatchSource(data: LabelledImages, options: BatchSourceOptions): ClosableBatchSource {
  checkLabelledImages(data, 'createBatchSource');
  checkOptions(data, options);
  const { batchSize, augment = false, shuffle = false, dropLast = false, seed = 0, mean, std } = options;
  const { flip = false, cropPadding = 0 } = augment || {};
  const recipe: Recipe = {
    images: inSharedMemory(data.images),
    labels: data.labels,
    shape: data.shape,
    batchSize,
    shuffle,
    flip,
    cropPadding,
    mean,
    std,
    seed,
  };
  const count = data.labels.length;
  const batchCount = dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
  return new WorkerBatchSource(recipe, {
    batchCount,
    size: dropLast ? batchCount * batchSize : count,
    classNames: data.classNames,
  });
}

class WorkerBatchSource implements ClosableBatchSource {
  readonly size: number;
  readonly batchSize: number;
  readonly classNames: readonly string[];
  readonly #recipe: Recipe;
  readonly #batchCount: number;
  #thread: BatchWorkerThread | undefined;
  #closed = false;

  constructor(recipe: Recipe, facts: { batchCount: number; size: number; classNames: readonly string[] }) {
    this.size = facts.size;
    this.batchSize = recipe.batchSize;
    this.classNames = facts.classNames;
    this.#recipe = recipe;
    this.#batchCount = facts.batchCount;
  }

  batches(epoch: number, firstBatch = 0): AsyncIterable<Batch> {
    if (!Number.isInteger(epoch) || epoch < 0) {
      throw new RangeError(`batches: epoch must be an integer of 0 or more, got ${epoch}.`);
    }
    if (!Number.isInteger(firstBatch) || firstBatch < 0 || firstBatch > this.#batchCount) {
      throw new RangeError(`batches: firstBatch must be an integer from 0 to ${this.#batchCount}, got ${firstBatch}.`);
    }
    return this.#epoch(epoch, firstBatch);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.close();
  }

  async *#epoch(epoch: number, firstBatch: number): AsyncGenerator<Batch, void, undefined> {
    if (this.#closed) throw new Error('The batch source has been closed.');
    if (this.#thread === undefined || this.#thread.failed) this.#thread = new BatchWorkerThread(this.#recipe);
    const thread = this.#thread;
    const [height, width, channels] = this.#recipe.shape;
    const run = thread.start(epoch, firstBatch);
    try {
      for (let batch = firstBatch; batch < this.#batchCount; batch++) {
        // Node hands over up to a thousand messages before anything else gets its turn: whoever is slower than the worker would
        // keep signals, timers and sockets waiting for as many batches.
        await turnOfEventLoop();
        const { slot, count } = await thread.next(run);
        yield {
          images: slot.images.subarray(0, count * height * width * channels),
          labels: slot.labels.subarray(0, count),
          shape: [count, height, width, channels],
        };
      }
    } finally {
      thread.stop(run);
    }
  }
}

function inSharedMemory(images: Uint8Array): Uint8Array {
  if (images.buffer instanceof SharedArrayBuffer) return images;
  const shared = sharedBytes(images.length);
  shared.set(images);
  return shared;
}

function checkOptions(data: LabelledImages, { batchSize, mean, std, augment, seed = 0 }: BatchSourceOptions): void {
  const reject = (name: string, expected: string, value: unknown): never => {
    throw new Error(`createBatchSource: ${name} must be ${expected}, got ${JSON.stringify(value) ?? String(value)}.`);
  };
  if (data.labels.length === 0) throw new Error('createBatchSource: there are no images to make batches of.');
  if (!Number.isInteger(batchSize) || batchSize < 1) reject('batchSize', 'a positive integer', batchSize);
  const channels = data.shape[2];
  for (const [name, values] of Object.entries({ mean, std })) {
    if (!Array.isArray(values) || values.length !== channels || !values.every(Number.isFinite)) {
      reject(name, `${channels} finite numbers, one for each channel`, values);
    }
  }
  if (std.some((value) => value <= 0)) reject('std', 'greater than 0 for every channel', std);
  const padding = augment ? (augment.cropPadding ?? 0) : 0;
  if (!Number.isInteger(padding) || padding < 0) reject('augment.cropPadding', 'an integer of 0 or more', padding);
  checkSeed(seed, 'createBatchSource');
}
