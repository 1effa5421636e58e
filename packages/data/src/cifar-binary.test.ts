import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCifar10Binary, readCifar100Binary } from './cifar-binary.ts';
import { CIFAR10_CLASSES, CIFAR100_COARSE_CLASSES, CIFAR100_FINE_CLASSES } from './cifar-classes.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cifar-binary-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** A record whose red plane counts pixels, whose green plane is 200 and whose blue plane is the first label. */
function record(...labels: number[]): Buffer {
  const planes = [(pixel: number) => pixel % 256, () => 200, () => labels[0]!];
  return Buffer.from([
    ...labels,
    ...planes.flatMap((plane) => Array.from({ length: 1024 }, (_, pixel) => plane(pixel))),
  ]);
}

async function writeCifar10(changes: Record<string, Buffer> = {}) {
  const files = { 'test_batch.bin': Buffer.concat([record(9), record(8)]) } as Record<string, Buffer>;
  for (const batch of [1, 2, 3, 4, 5]) files[`data_batch_${batch}.bin`] = record(batch);
  for (const [name, bytes] of Object.entries({ ...files, ...changes })) await writeFile(join(directory, name), bytes);
}

test('CIFAR-10: batches in order, planes turned into pixels', async () => {
  await writeCifar10();
  const { train, test } = await readCifar10Binary(directory);
  expect([...train.labels]).toEqual([1, 2, 3, 4, 5]);
  expect([...test.labels]).toEqual([9, 8]);
  expect(train.shape).toEqual([32, 32, 3]);
  expect(train.images).toHaveLength(5 * 3072);
  // Pixel 33 of image 2 (row 1, column 1).
  expect([...train.images.subarray(2 * 3072 + 99, 2 * 3072 + 102)]).toEqual([33, 200, 3]);
  expect(train.classNames).toEqual(CIFAR10_CLASSES);
});

test('CIFAR-10: class names come from batches.meta.txt', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
  await writeCifar10({ 'batches.meta.txt': Buffer.from(`${names.join('\n')}\n\n`) });
  expect((await readCifar10Binary(directory)).test.classNames).toEqual(names);
  await writeFile(join(directory, 'batches.meta.txt'), 'a\nb\n');
  await expect(readCifar10Binary(directory)).rejects.toThrow('expected 10 class names, one a line, got 2.');
});

test.each([
  ['data_batch_3.bin', record(3).subarray(0, 3000), 'records of 3073 bytes, got 3000 bytes. Is the file truncated'],
  ['test_batch.bin', Buffer.alloc(0), 'records of 3073 bytes, got 0 bytes'],
  ['test_batch.bin', Buffer.concat([record(1), record(10)]), 'the label of record 1 must be between 0 and 9, got 10.'],
])('CIFAR-10: a damaged %s is named', async (name, bytes, message) => {
  await writeCifar10({ [name]: bytes });
  await expect(readCifar10Binary(directory)).rejects.toThrow(`${join(directory, name)}: `);
  await expect(readCifar10Binary(directory)).rejects.toThrow(message);
});

test('CIFAR-10: a missing file is named', async () => {
  await expect(readCifar10Binary(directory)).rejects.toThrow(`${join(directory, 'data_batch_1.bin')} does not exist.`);
});

test('CIFAR-100: fine or coarse labels', async () => {
  await writeFile(join(directory, 'train.bin'), Buffer.concat([record(19, 99), record(4, 0)]));
  await writeFile(join(directory, 'test.bin'), record(0, 55));
  const fine = await readCifar100Binary(directory);
  expect([...fine.train.labels, ...fine.test.labels]).toEqual([99, 0, 55]);
  expect(fine.train.classNames).toEqual(CIFAR100_FINE_CLASSES);
  expect([...fine.train.images.subarray(3072, 3078)]).toEqual([0, 200, 4, 1, 200, 4]);
  const coarse = await readCifar100Binary(directory, { labels: 'coarse' });
  expect([...coarse.train.labels, ...coarse.test.labels]).toEqual([19, 4, 0]);
  expect(coarse.train.classNames).toEqual(CIFAR100_COARSE_CLASSES);
});

test('CIFAR-100: bad files and options', async () => {
  await writeFile(join(directory, 'train.bin'), record(0, 100));
  await writeFile(join(directory, 'test.bin'), record(20, 0));
  await expect(readCifar100Binary(directory)).rejects.toThrow(
    'the label of record 0 must be between 0 and 99, got 100.',
  );
  await expect(readCifar100Binary(directory, { labels: 'coarse' })).rejects.toThrow('between 0 and 19, got 20.');
  await expect(readCifar100Binary(directory, { labels: 'rough' as 'fine' })).rejects.toThrow("got 'rough'.");
  await writeFile(join(directory, 'train.bin'), record(0));
  await expect(readCifar100Binary(directory)).rejects.toThrow('records of 3074 bytes, got 3073 bytes');
});

test('the class lists are complete and in order', () => {
  expect(CIFAR10_CLASSES).toHaveLength(10);
  expect(CIFAR100_FINE_CLASSES).toHaveLength(100);
  expect(CIFAR100_COARSE_CLASSES).toHaveLength(20);
  for (const names of [CIFAR100_FINE_CLASSES, CIFAR100_COARSE_CLASSES]) expect([...names].sort()).toEqual(names);
});
