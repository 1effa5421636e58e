import { appendFile, mkdtemp, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeSampleRun } from '../../../test/sample-run.ts';
import { readRun } from '../read-run.ts';
import { RunTail } from './run-tail.ts';

it('sees the same as a reader of the whole run, however the lines arrive', async () => {
  const path = await writeSampleRun(join(await mkdtemp(join(tmpdir(), 'secateur-tail-')), 'run'));
  const file = join(path, 'events.jsonl');
  const bytes = await readFile(file);
  await writeFile(file, '');
  const tail = new RunTail(path);
  expect(await tail.read()).toBe(false);
  // Pieces that end in the middle of lines.
  for (let at = 0; at < bytes.length; at += 997) {
    await appendFile(file, bytes.subarray(at, at + 997));
    expect(await tail.read()).toBe(true);
  }
  expect(await tail.read()).toBe(false);
  expect(await tail.describe()).toEqual(await readRun(path));
});

it('starts over when a resumed run has gone back', async () => {
  const path = await writeSampleRun(join(await mkdtemp(join(tmpdir(), 'secateur-tail-')), 'run'), { until: 'pruning' });
  const tail = new RunTail(path);
  await tail.read();
  await truncate(
    join(path, 'events.jsonl'),
    (await readFile(join(path, 'events.jsonl'), 'utf8')).indexOf('{"seconds":5,'),
  );
  await tail.read();
  expect(await tail.describe()).toEqual(await readRun(path));
  expect((await tail.describe()).iterations).toEqual([]);
});
