import type { Batch, BatchSource } from '@secateur/core';

export interface ContinuedSource extends BatchSource {
  /** The epoch under way, or the next one. */
  readonly epoch: number;
}

/**
 * Counts epochs on from one training to the next. Every training starts at its epoch 0; without this, each fine-tuning
 * would see the same order and the same augmentations again.
 *
 * @param options.epoch Where to begin: to go on with a training that was interrupted, the `epoch` of the source that it had.
 */
export function continueEpochs(source: BatchSource, { epoch = 0 }: { readonly epoch?: number } = {}): ContinuedSource {
  const { size, batchSize, classNames } = source;
  let current = epoch;
  return {
    size,
    batchSize,
    classNames,
    get epoch() {
      return current;
    },
    async *batches(_, firstBatch): AsyncGenerator<Batch, void, undefined> {
      const own = current;
      try {
        yield* source.batches(own, firstBatch);
      } finally {
        // Only now: a state that is kept inside an epoch has to name that epoch.
        current = own + 1;
      }
    },
  };
}
