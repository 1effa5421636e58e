import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { canMount, mountedFolder, remount } from '../../test/mounted-folder.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { encodeState } from './state-file.ts';

interface State {
  readonly step: number;
  readonly weights: Float32Array;
}

const identity = { configuration: 'abc', 'set of images': 'def' };
const stateOf = (step: number, size = 4): State => ({ step, weights: new Float32Array(size).fill(step / 3) });

let folder: string;
let store: CheckpointStore<State>;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'secateur-')), 'checkpoints');
  store = await CheckpointStore.open<State>(folder, { identity });
});

const reopen = (other = identity) => CheckpointStore.open<State>(folder, { identity: other });
const file = (number: number) => join(folder, `state-00000${number}.bin`);

it('has nothing at first, then the youngest, and keeps one older', async () => {
  expect(await store.latest()).toBeUndefined();
  for (const step of [1, 2, 3]) await store.write(stateOf(step));
  expect((await readdir(folder)).sort()).toEqual(['state-000002.bin', 'state-000003.bin']);
  expect(await (await reopen()).latest()).toEqual({ file: file(3), state: stateOf(3), unusable: [] });
  await store.clear();
  expect(await readdir(folder)).toEqual([]);
});

it('numbers on, and removes what a process left that was killed while it wrote', async () => {
  await store.write(stateOf(1));
  await writeFile(join(folder, '.state-000002.bin-0123abcd'), 'half');
  const later = await reopen();
  await later.latest();
  await later.write(stateOf(2));
  expect((await readdir(folder)).sort()).toEqual(['state-000001.bin', 'state-000002.bin']);
});

describe('passes over what cannot be used, says why, and leaves it as it is', () => {
  it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ['a file cut in the middle', (path) => truncate(path, 60), /is damaged/],
    ['an empty file', (path) => truncate(path, 0), /is cut short: it has only 0 bytes/],
    ['a flipped bit', (path) => flipBit(path), /is damaged: its checksum is not that of its content/],
    ['another file', (path) => writeFile(path, 'x'.repeat(100)), /is no checkpoint of secateur/],
    ['another format', (path) => setFormat(path), /has format 9, but this version of secateur reads format 1/],
    ['another configuration', (path) => foreign(path, 'configuration'), /was made with another configuration/],
    ['other images', (path) => foreign(path, 'set of images'), /was made with another set of images/],
  ])('%s', async (_, spoil, reason) => {
    await store.write(stateOf(1));
    await store.write(stateOf(2));
    await spoil(file(2));
    const spoilt = await readFile(file(2));
    const later = await reopen();
    const found = (await later.latest())!;
    expect(found).toMatchObject({ file: file(1), state: stateOf(1), unusable: [{ file: file(2) }] });
    expect(found.unusable[0]!.reason).toMatch(reason);
    // Going on overwrites nothing, and does not count the bad one as the older good one.
    for (const step of [3, 4, 5]) await later.write(stateOf(step));
    expect(await readFile(file(2))).toEqual(spoilt);
    expect((await readdir(folder)).sort()).toEqual(['state-000002.bin', 'state-000004.bin', 'state-000005.bin']);
  });
});

it('refuses when none can be used, naming each, and changes nothing', async () => {
  await store.write(stateOf(1));
  await store.write(stateOf(2));
  await truncate(file(1), 10);
  await flipBit(file(2));
  const before = await Promise.all([1, 2].map((number) => readFile(file(number))));
  await expect((await reopen()).latest()).rejects.toThrow(
    /^No checkpoint can be gone on from: '.*state-000002\.bin' is damaged.*; '.*state-000001\.bin' is cut short.*\.$/,
  );
  expect(await Promise.all([1, 2].map((number) => readFile(file(number))))).toEqual(before);
});

describe('on a file system of its own', () => {
  const mounts = canMount();
  it.skipIf(!mounts)('keeps the older one whole when the disk is full, and goes on once there is room', async () => {
    const disk = await mountedFolder('256k');
    const small = await CheckpointStore.open<State>(join(disk, 'checkpoints'));
    await small.write(stateOf(1, 10_000));
    await writeFile(join(disk, 'ballast'), new Uint8Array(190_000));
    await expect(small.write(stateOf(2, 10_000))).rejects.toThrow(/ENOSPC/);
    expect(await readdir(join(disk, 'checkpoints'))).toEqual(['state-000001.bin']);
    expect((await small.latest())!.state).toEqual(stateOf(1, 10_000));
    await rm(join(disk, 'ballast'));
    await small.write(stateOf(3, 10_000));
    expect((await small.latest())!.state.step).toBe(3);
  });

  it.skipIf(!mounts)('reads but does not write where nothing can be written', async () => {
    const disk = await mountedFolder('256k');
    const written = await CheckpointStore.open<State>(join(disk, 'checkpoints'));
    const path = await written.write(stateOf(1));
    const { mtimeMs } = await stat(path);
    remount(disk, 'ro');
    await expect(written.write(stateOf(2))).rejects.toThrow(/EROFS/);
    expect((await written.latest())!.state).toEqual(stateOf(1));
    expect((await stat(path)).mtimeMs).toBe(mtimeMs);
  });
});

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length - 3]! ^= 4;
  await writeFile(path, bytes);
}

async function setFormat(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt32LE(9, 8);
  await writeFile(path, bytes);
}

async function foreign(path: string, key: keyof typeof identity): Promise<void> {
  const parts = encodeState({ identity: { ...identity, [key]: 'other' }, state: stateOf(2) });
  await writeFile(path, Buffer.concat(parts));
}
