import type { BatchSource } from '@secateur/core';
import { expect, it } from 'vitest';
import { fromEpoch } from './cifar10.ts';

it('goes on with the epochs of a source, also in the middle of one', () => {
  const asked: [number, number | undefined][] = [];
  const source: BatchSource = {
    size: 1,
    batchSize: 1,
    classNames: [],
    batches: (epoch, firstBatch) => {
      asked.push([epoch, firstBatch]);
      return (async function* () {})();
    },
  };
  const later = fromEpoch(source, 10);
  later.batches(0);
  later.batches(2, 7);
  expect(asked).toEqual([
    [10, undefined],
    [12, 7],
  ]);
});
