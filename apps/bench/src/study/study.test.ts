import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { Study, StudyPaused } from './study.ts';

beforeEach(() => {
  vi.spyOn(console, 'error').mockReturnValue();
  vi.spyOn(console, 'log').mockReturnValue();
});

const newFolder = async () => join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), 'study');

it('pauses when the time is up, and goes on from there', async () => {
  const out = await newFolder();
  const hurried = await Study.open({ width: 1 }, { out, minutes: 1e-9, json: true });
  await expect(hurried.keep('first', async () => 1)).rejects.toThrow(StudyPaused);

  const patient = await Study.open({ width: 1 }, { out, json: true });
  expect(await patient.keep('first', async () => 1)).toBe(1);
  const later = await Study.open({ width: 1 }, { out, minutes: 1e-9, json: true });
  expect(await later.keep('first', async () => 2)).toBe(1);
  await expect(later.keep('second', async () => 2)).rejects.toThrow("are over before 'second'");
});

it('publishes JSON, text and pictures with the setup', async () => {
  const out = await newFolder();
  const study = await Study.open({ width: 0.5 }, { out, json: true });
  await study.publish({ answer: 42 }, ({ answer }) => ({ text: `It is ${answer}.`, plots: { curve: '<svg/>' } }));
  expect((await readdir(out)).sort()).toEqual(['curve.svg', 'report.json', 'report.txt', 'setup.json']);
  expect(JSON.parse(await readFile(join(out, 'report.json'), 'utf8'))).toEqual({
    answer: 42,
    setup: { width: 0.5 },
    environments: [],
  });
  expect(await readFile(join(out, 'report.txt'), 'utf8')).toBe('It is 42.\n');
  expect(console.log).toHaveBeenCalledWith(expect.stringContaining('"answer":42'));
});
