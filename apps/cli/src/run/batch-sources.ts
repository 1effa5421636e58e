import type { Batch, BatchSource } from '@secateur/core';

/** The same batches, calling back after each and ending with the signal's reason once it is aborted. */
export function observe(
  source: BatchSource,
  { signal, onBatch }: { signal: AbortSignal; onBatch?: (images: number) => void },
): BatchSource {
  const { size, batchSize, classNames } = source;
  return {
    size,
    batchSize,
    classNames,
    async *batches(epoch, firstBatch): AsyncGenerator<Batch, void, undefined> {
      signal.throwIfAborted();
      for await (const batch of source.batches(epoch, firstBatch)) {
        yield batch;
        signal.throwIfAborted();
        onBatch?.(batch.labels.length);
      }
    },
  };
}
