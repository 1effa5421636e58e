import type { BatchSource } from '@secateur/core';
import { expect, it } from 'vitest';
import { observe } from './batch-sources.ts';

/** Batches of two images, whose labels tell the epoch and the batch. */
const source: BatchSource = {
  size: 4,
  batchSize: 2,
  classNames: ['a', 'b'],
  async *batches(epoch, firstBatch = 0) {
    for (let batch = firstBatch; batch < 2; batch++) {
      yield { images: new Float32Array(2), labels: Int32Array.of(epoch, batch), shape: [2, 1, 1, 1] };
    }
  },
};

async function labels(batches: ReturnType<BatchSource['batches']>): Promise<number[][]> {
  const all: number[][] = [];
  for await (const batch of batches) all.push([...batch.labels]);
  return all;
}

it('reports each batch once it has been used, and stops at the next one after an abort', async () => {
  const interruption = new AbortController();
  const seen: number[] = [];
  const observed = observe(source, { signal: interruption.signal, onBatch: (images) => seen.push(images) });
  expect(observed).toMatchObject({ size: 4, batchSize: 2, classNames: ['a', 'b'] });
  const batches = observed.batches(0)[Symbol.asyncIterator]();
  await batches.next();
  await batches.next();
  expect(seen).toEqual([2]);
  interruption.abort(new Error('enough'));
  await expect(batches.next()).rejects.toThrow('enough');
  await expect(labels(observed.batches(0))).rejects.toThrow('enough');
});
