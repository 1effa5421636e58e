import type { BatchSource } from '@secateur/core';
import { expect, it } from 'vitest';
import { continueEpochs } from './continue-epochs.ts';

/** Batches of one image, whose label tells epoch and batch: 10 * epoch + batch. */
const source: BatchSource = {
  size: 2,
  batchSize: 1,
  classNames: ['a'],
  async *batches(epoch, firstBatch = 0) {
    for (let batch = firstBatch; batch < 2; batch++) {
      yield { images: new Float32Array(1), labels: Int32Array.of(10 * epoch + batch), shape: [1, 1, 1, 1] };
    }
  },
};

async function labels(batches: ReturnType<BatchSource['batches']>): Promise<number[]> {
  const all: number[] = [];
  for await (const batch of batches) all.push(...batch.labels);
  return all;
}

it('counts epochs on over trainings that each start at 0', async () => {
  const continued = continueEpochs(source);
  expect(await labels(continued.batches(0))).toEqual([0, 1]);
  expect(await labels(continued.batches(1))).toEqual([10, 11]);
  expect(await labels(continued.batches(0))).toEqual([20, 21]);
  expect(continued).toMatchObject({ epoch: 3, size: 2, batchSize: 1, classNames: ['a'] });
});

it('names the epoch under way until it is left, also early', async () => {
  const continued = continueEpochs(source, { epoch: 4 });
  for await (const batch of continued.batches(0, 1)) {
    expect([...batch.labels]).toEqual([41]);
    expect(continued.epoch).toBe(4);
    break;
  }
  expect(continued.epoch).toBe(5);
  expect(await labels(continued.batches(0, 2))).toEqual([]);
  expect(continued.epoch).toBe(6);
});
