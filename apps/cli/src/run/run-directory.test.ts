import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { RunDirectory } from './run-directory.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secateur-'));
});

const create = (path: string, force = false) => RunDirectory.create(path, { force, config: { seed: 1 } });

it('makes the folder and writes events that are on disk at once, with arrays as lists and six digits', async () => {
  const run = await create(join(directory, 'a', 'b'));
  run.event({ type: 'scored', numerators: Int32Array.of(1, 2), loss: 1 / 3, names: ['x'] });
  const lines = (await readFile(join(directory, 'a', 'b', 'events.jsonl'), 'utf8')).trim().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ type: 'scored', numerators: [1, 2], loss: 0.333333, names: ['x'] });
  expect(JSON.parse(await readFile(run.file('config.json'), 'utf8'))).toEqual({ seed: 1 });
  run.close();
});

it('touches neither foreign files nor a former run without force', async () => {
  await writeFile(join(directory, 'thesis.txt'), 'mine');
  await expect(create(directory)).rejects.toThrow(/is not empty, and holds no run.*--out.*--force/);
  expect(await readdir(directory)).toEqual(['thesis.txt']);
  const run = join(directory, 'run');
  (await create(run)).close();
  await expect(create(run)).rejects.toThrow(/already holds a run/);
});

it('replaces with force what a run has written, and nothing else', async () => {
  const first = await create(directory);
  await first.writeJson('plan-3.json', {});
  await writeFile(first.file('thesis.txt'), 'mine');
  first.close();
  (await create(directory, true)).close();
  expect((await readdir(directory)).sort()).toEqual(['config.json', 'events.jsonl', 'thesis.txt']);
});

it('checks what it would refuse, and makes and changes nothing', async () => {
  const check = (path: string, force = false) => RunDirectory.check(path, { force });
  await check(join(directory, 'a', 'b'));
  await check(directory);
  expect(await readdir(directory)).toEqual([]);
  await writeFile(join(directory, 'file'), '');
  await expect(check(join(directory, 'file', 'run'))).rejects.toThrow(
    /^The run directory '.*' cannot be written \(ENOTDIR.*\)\. Choose another one with --out\.$/,
  );
  await expect(check(directory)).rejects.toThrow(/is not empty, and holds no run/);
  await check(directory, true);
  expect(await readdir(directory)).toEqual(['file']);
});

it.skipIf(process.platform !== 'linux')('gives up where no folder can be made, even by the superuser', async () => {
  await expect(create('/proc/run')).rejects.toThrow(/^The run directory '\/proc\/run' cannot be written \(E/);
});

it('names a folder that cannot be written, in one line', async () => {
  const file = join(directory, 'file');
  await writeFile(file, '');
  await expect(create(join(file, 'run'))).rejects.toThrow(
    /^The run directory '.*' cannot be written \(ENOTDIR.*\)\. Choose another one with --out\.$/,
  );
});
