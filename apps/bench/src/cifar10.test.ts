import type { BatchSource } from '@secateur/core';
import { expect, it } from 'vitest';
import { continueEpochs } from './cifar10.ts';

it('counts epochs on from one training to the next, and goes on in the middle of one', () => {
  const asked: number[] = [];
  const source: BatchSource = {
    size: 1,
    batchSize: 1,
    classNames: [],
    batches: (epoch) => {
      asked.push(epoch);
      return (async function* () {})();
    },
  };
  const counted = continueEpochs(source, 10);
  for (const epoch of [0, 1, 2, 0, 1]) counted.batches(epoch);
  expect(asked).toEqual([10, 11, 12, 13, 14]);

  asked.length = 0;
  const resumed = continueEpochs(source, 10);
  for (const epoch of [2, 3, 0]) resumed.batches(epoch);
  expect(asked).toEqual([12, 13, 14]);
});
