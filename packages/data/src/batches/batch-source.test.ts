import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Batch } from '@secateur/core';
import { afterEach, expect, test } from 'vitest';
import { generateImages } from '../../test/generated.ts';
import { type BatchSourceOptions, type ClosableBatchSource, createBatchSource } from './batch-source.ts';
import { BatchWorkerThread } from './batch-worker-thread.ts';
import { batchComposer, epochOrder, type Recipe } from './compose.ts';
import type { FilledSlot, ToWorker } from './messages.ts';

const statistics = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };
const open: ClosableBatchSource[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
});

function openSource(count: number, options: Partial<BatchSourceOptions> = {}): ClosableBatchSource {
  const source = createBatchSource(generateImages({ count }), { batchSize: 4, ...statistics, ...options });
  open.push(source);
  return source;
}

const copy = ({ images, labels, shape }: Batch) => ({ images: [...images], labels: [...labels], shape: [...shape] });

async function collect(source: ClosableBatchSource, epoch: number, firstBatch?: number, pause?: () => Promise<void>) {
  const batches: ReturnType<typeof copy>[] = [];
  for await (const batch of source.batches(epoch, firstBatch)) {
    if (pause) await pause();
    batches.push(copy(batch));
  }
  return batches;
}

const training = { shuffle: true, augment: { flip: true, cropPadding: 1 }, seed: 9 };

test('an epoch holds every image once, in batches composed as on this thread', async () => {
  const source = openSource(10, training);
  expect([source.size, source.batchSize, source.classNames]).toEqual([10, 4, ['class 0', 'class 1', 'class 2']]);
  const data = generateImages({ count: 10 });
  const recipe: Recipe = { ...data, ...statistics, batchSize: 4, shuffle: true, flip: true, cropPadding: 1, seed: 9 };
  const order = epochOrder(recipe, 5);
  const expected = [order.subarray(0, 4), order.subarray(4, 8), order.subarray(8, 10)].map((indices) => {
    const target = { images: new Float32Array(indices.length * 60), labels: new Int32Array(indices.length) };
    batchComposer(recipe)(indices, 5, target);
    return copy({ ...target, shape: [indices.length, 4, 5, 3] });
  });
  expect(await collect(source, 5)).toEqual(expected);
});

test('the same seed and epoch give the same batches, however fast they are taken', async () => {
  const fast = await collect(openSource(50, training), 2);
  let turn = 0;
  const slow = await collect(openSource(50, training), 2, undefined, () => sleep((turn++ * 7) % 12));
  expect(slow).toEqual(fast);
  expect(await collect(openSource(50, training), 3)).not.toEqual(fast);
  expect(await collect(openSource(50, { ...training, seed: 10 }), 2)).not.toEqual(fast);
});

test('an epoch can be entered in the middle', async () => {
  const source = openSource(22, training);
  const whole = await collect(source, 1);
  expect(whole).toHaveLength(6);
  expect(await collect(source, 1, 4)).toEqual(whole.slice(4));
  expect(await collect(source, 1, 6)).toEqual([]);
});

test('dropLast leaves out what does not fill a batch', async () => {
  const source = openSource(10, { dropLast: true });
  expect(source.size).toBe(8);
  expect((await collect(source, 0)).map(({ shape }) => shape[0])).toEqual([4, 4]);
  expect(await collect(openSource(3, { dropLast: true }), 0)).toEqual([]);
});

test('leaving early, by break or by exception, leaves the source ready for the next epoch', async () => {
  const source = openSource(60, training);
  const expected = await collect(source, 3);
  for (let time = 0; time < 10; time++) {
    for await (const batch of source.batches(time)) {
      expect(batch.labels).toHaveLength(4);
      break;
    }
    const failing = (async () => {
      for await (const _ of source.batches(time)) throw new Error('out of memory');
    })();
    await expect(failing).rejects.toThrow('out of memory');
  }
  expect(await collect(source, 3)).toEqual(expected);
});

test('abandoned epochs do not use up the slots, and end with an error when taken up again', async () => {
  const source = openSource(60, training);
  const abandoned: AsyncIterator<Batch>[] = [];
  for (let time = 0; time < 10; time++) {
    const iterator = source.batches(time)[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    abandoned.push(iterator);
  }
  expect(await collect(source, 3)).toEqual(await collect(openSource(60, training), 3));
  await expect(abandoned[0]!.next()).rejects.toThrow('cut off by a later one of the same batch source');
});

test('an epoch that waits for its first batch is told when another one takes over', async () => {
  const source = openSource(8);
  const first = source.batches(0)[Symbol.asyncIterator]();
  const second = source.batches(1)[Symbol.asyncIterator]();
  const [waiting, served] = await Promise.allSettled([first.next(), second.next()]);
  expect(waiting).toMatchObject({
    status: 'rejected',
    reason: { message: expect.stringContaining('one epoch at a time') },
  });
  expect(served).toMatchObject({ status: 'fulfilled', value: { done: false } });
});

test('a batch is left alone until the next one is asked for, and then taken back', async () => {
  const source = openSource(400, training);
  const iterator = source.batches(0)[Symbol.asyncIterator]();
  const first = (await iterator.next()).value as Batch;
  const kept = copy(first);
  await sleep(50);
  expect(copy(first)).toEqual(kept);
  await iterator.next();
  expect(first.images).toHaveLength(0);
  await iterator.return!();
});

test('the worker prepares as many batches ahead as there are slots, and goes on when one comes back', async () => {
  const { images, labels, shape } = generateImages({ count: 40 });
  const plain = { batchSize: 2, shuffle: false, flip: false, cropPadding: 0, seed: 0 };
  const recipe: Recipe = { images, labels, shape, ...statistics, ...plain };
  const worker = new Worker(new URL('./batch-worker-from-source.mjs', import.meta.url), {
    workerData: recipe,
    execArgv: [],
  });
  const filled: FilledSlot[] = [];
  worker.on('message', (message: FilledSlot) => filled.push(message));
  worker.postMessage({ kind: 'start', run: 1, epoch: 0, firstBatch: 3 } satisfies ToWorker);
  await expect.poll(() => filled.length).toBe(4);
  await sleep(50);
  expect(filled.map(({ slot }) => [...slot.labels])).toEqual([6, 8, 10, 12].map((i) => [i % 3, (i + 1) % 3]));
  worker.postMessage({ kind: 'recycle', slot: filled[0]!.slot } satisfies ToWorker);
  await expect.poll(() => filled.length).toBe(5);
  await sleep(50);
  expect(filled).toHaveLength(5);
  await worker.terminate();
});

test('signals, timers and sockets get their turn between batches, also when the worker is faster', async () => {
  let turns = 0;
  const count = () => {
    turns += 1;
    pending = setImmediate(count);
  };
  let pending = setImmediate(count);
  let batches = 0;
  for await (const _ of openSource(160).batches(0)) {
    batches += 1;
    if (batches === 1) turns = 0;
    const until = performance.now() + 5;
    while (performance.now() < until);
  }
  clearImmediate(pending);
  expect(batches).toBe(40);
  expect(turns).toBeGreaterThanOrEqual(batches - 1);
});

test('closing ends a waiting epoch and refuses later ones', async () => {
  const source = openSource(8);
  const waiting = expect(source.batches(0)[Symbol.asyncIterator]().next()).rejects.toThrow('has been closed');
  await source.close();
  await waiting;
  await source.close();
  await expect(collect(source, 0)).rejects.toThrow('The batch source has been closed.');
});

test.each([
  ['throws', "throw new Error('bad pixels')", 'The batch worker failed: bad pixels'],
  ['ends', 'process.exit(3)', 'The batch worker has ended (exit code 3).'],
])('a worker that %s rejects whoever waits', async (_, code, message) => {
  const { images, labels, shape } = generateImages({ count: 2 });
  const recipe = {
    images,
    labels,
    shape,
    ...statistics,
    batchSize: 1,
    shuffle: false,
    flip: false,
    cropPadding: 0,
    seed: 0,
  };
  const thread = new BatchWorkerThread(recipe, new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  const run = thread.start(0, 0);
  await expect(thread.next(run)).rejects.toThrow(message);
  await expect(thread.next(run)).rejects.toThrow(message);
  expect(thread.failed).toBe(true);
  await thread.close();
});

test.each([
  [{ batchSize: 0 }, 'batchSize must be a positive integer, got 0.'],
  [{ mean: [0.5] }, 'mean must be 3 finite numbers, one for each channel, got [0.5].'],
  [{ std: [1, 1, Number.NaN] }, 'std must be 3 finite numbers'],
  [{ std: [1, 0, 1] }, 'std must be greater than 0 for every channel, got [1,0,1].'],
  [{ augment: { cropPadding: -1 } }, 'augment.cropPadding must be an integer of 0 or more, got -1.'],
  [{ seed: -1 }, 'seed must be an integer from 0 to 4294967295, got -1.'],
])('rejects %o', (options, message) => {
  expect(() => openSource(4, options)).toThrow(message);
});

test('rejects data that do not fit together, and epochs that there are not', () => {
  const data = generateImages({ count: 4 });
  const options = { batchSize: 2, ...statistics };
  const mislabelled = { ...data, labels: Int32Array.of(0, 1, 2, 3) };
  expect(() => createBatchSource(mislabelled, options)).toThrow('the label of image 3 must be between 0 and 2, got 3.');
  expect(() => createBatchSource(generateImages({ count: 0 }), options)).toThrow('there are no images');
  const source = openSource(8);
  expect(() => source.batches(-1)).toThrow('epoch must be an integer of 0 or more, got -1.');
  expect(() => source.batches(0, 3)).toThrow('firstBatch must be an integer from 0 to 2, got 3.');
});
