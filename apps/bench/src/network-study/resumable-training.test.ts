import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchSource } from '@secateur/core';
import '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, it } from 'vitest';
import { buildNetwork } from '../networks.ts';
import { noiseImages } from '../noise-images.ts';
import { trainResumably } from './resumable-training.ts';

const OPTIONS = { epochs: 3, schedule: { kind: 'one-cycle', peak: 0.05 } } as const;
const source = () => noiseImages({ classes: 10, perClass: 1, size: 8, batch: 4 });
const build = () => buildNetwork('resnet20', { width: 0.0625, inputShape: [8, 8, 3] });
const weightsOf = (model: LayersModel) => model.getWeights().map((weight) => [...weight.dataSync()]);

/** Fails in the middle of its third epoch. */
function failing(): BatchSource {
  const whole = source();
  return {
    ...whole,
    async *batches(epoch, firstBatch) {
      for await (const batch of whole.batches(epoch, firstBatch)) {
        yield batch;
        if (epoch === 2) throw new Error('stopped');
      }
    },
  };
}

beforeAll(() => tf.setBackend('torch'));

it('goes on from the last whole epoch to the same weights', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'secateur-bench-'));
  const uninterrupted = build();
  expect(await trainResumably(uninterrupted, source(), { ...OPTIONS, folder })).toBe(9);
  await expect(trainResumably(build(), failing(), { ...OPTIONS, folder })).rejects.toThrow('stopped');
  expect(await readdir(folder)).toEqual(['training.state']);

  const resumed = build();
  expect(await trainResumably(resumed, source(), { ...OPTIONS, folder })).toBe(3);
  expect(weightsOf(resumed)).toEqual(weightsOf(uninterrupted));
  expect(await readdir(folder)).toEqual([]);
});
