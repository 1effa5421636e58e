import { afterEach, expect, test } from 'vitest';
import { generateImages } from '../test/generated.ts';
import { createBatchSource } from './batches/batch-source.ts';
import { createPruningSources, type PruningSources, type PruningSourcesOptions } from './pruning-sources.ts';
import { stratifiedSplit } from './splits.ts';
import { channelStatistics } from './statistics.ts';

const images = generateImages({ count: 60 });
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
});

function openSources(options?: PruningSourcesOptions): PruningSources {
  const sources = createPruningSources(images, options);
  open.push(sources);
  return sources;
}

async function collect(source: PruningSources['training'], epoch = 0) {
  const batches: { images: number[]; labels: number[] }[] = [];
  for await (const batch of source.batches(epoch))
    batches.push({ images: [...batch.images], labels: [...batch.labels] });
  return batches;
}

test('the images are split by class, and the scoring images are among those trained on', async () => {
  const { training, scoring, validation } = openSources({ validationFraction: 0.2, imagesPerClass: 4, batchSize: 5 });
  expect([training.size, scoring.size, validation.size]).toEqual([48, 12, 12]);
  expect([training.batchSize, scoring.batchSize, validation.batchSize]).toEqual([5, 5, 5]);
  expect((await collect(scoring)).flatMap(({ labels }) => labels)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  const [, heldOut] = stratifiedSplit(images, { fraction: 0.2, seed: 0 });
  const plain = createBatchSource(heldOut, { batchSize: 5, ...channelStatistics(images) });
  open.push(plain);
  expect(await collect(validation)).toEqual(await collect(plain));
});

test('the defaults are a tenth held out, ten scoring images of each class, and shuffled batches of 128', async () => {
  const { training, scoring, validation } = openSources();
  expect([training.size, scoring.size, validation.size]).toEqual([54, 30, 6]);
  expect([training.batchSize, scoring.batchSize, validation.batchSize]).toEqual([128, 50, 128]);
  expect(await collect(training, 0)).not.toEqual(await collect(training, 1));
});

test('a seed decides the split, and augmentation is for training only', async () => {
  const augment = { flip: true, cropPadding: 2 };
  const [one, same, other, still] = [{ seed: 1 }, { seed: 1 }, { seed: 2 }, { seed: 1, augment: {} }].map((options) =>
    openSources({ augment, ...options }),
  );
  expect(await collect(same!.training)).toEqual(await collect(one!.training));
  expect(await collect(other!.validation)).not.toEqual(await collect(one!.validation));
  expect(await collect(still!.training)).not.toEqual(await collect(one!.training));
  expect(await collect(still!.validation)).toEqual(await collect(one!.validation));
});

test('a fraction that holds nothing out is refused', () => {
  expect(() => openSources({ validationFraction: 0.001 })).toThrow(
    'Expected validationFraction to hold out at least one image, but 0.001 of 60 images is none. Raise it, or take more images.',
  );
});

test('validation images of their own leave all others to the training', async () => {
  const validation = generateImages({ count: 9 });
  const sources = openSources({ validation, imagesPerClass: 4, statistics: { mean: [0, 0, 0], std: [1, 1, 1] } });
  expect([sources.training.size, sources.validation.size]).toEqual([60, 9]);
  const [batch] = await collect(sources.validation);
  expect(batch!.images).toEqual(Array.from(validation.images, (value) => Math.fround(value / 255)));
});
