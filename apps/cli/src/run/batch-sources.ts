import type { Batch, BatchSource } from '@secateur/core';

/** The same batches, calling back after each and ending with the signal's reason once it is aborted. */
export function observe(
  source: BatchSource,
  { signal, onBatch }: { signal: AbortSignal; onBatch?: (images: number) => void },
): BatchSource {
  return derive(source, async function* (epoch, firstBatch) {
    signal.throwIfAborted();
    for await (const batch of source.batches(epoch, firstBatch)) {
      yield batch;
      signal.throwIfAborted();
      onBatch?.(batch.labels.length);
    }
  });
}

/**
 * Counts epochs on from one training to the next. Every training starts at its epoch 0; without this, each fine-tuning
 * would see the same order and the same augmentations again.
 */
export function continueEpochs(source: BatchSource): BatchSource {
  let epoch = 0;
  return derive(source, (_, firstBatch) => source.batches(epoch++, firstBatch));
}

function derive(
  source: BatchSource,
  batches: (epoch: number, firstBatch: number) => AsyncIterable<Batch>,
): BatchSource {
  const { size, batchSize, classNames } = source;
  return { size, batchSize, classNames, batches: (epoch, firstBatch = 0) => batches(epoch, firstBatch) };
}
