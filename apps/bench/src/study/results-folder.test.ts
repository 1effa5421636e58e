import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Setup } from '../keeping/protocol.ts';
import { ResultsFolder } from './results-folder.ts';

const SETUP: Setup = {
  width: 0.5,
  epochs: 9,
  fineTuneEpochs: 1,
  finalTuneEpochs: 3,
  target: 0.5,
  batches: 10,
  teacherWeight: 0.9,
  temperature: 4,
};

describe('ResultsFolder', () => {
  let path: string;
  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), 'results');
  });

  it('measures once, also for a later process, and leaves no unfinished files', async () => {
    let measured = 0;
    for (let run = 0; run < 3; run++) {
      const folder = await ResultsFolder.open(path, SETUP);
      const record = await folder.record('seed-0/plain', async () => ({ value: ++measured }));
      expect(record).toEqual({ value: 1 });
    }
    expect(await readdir(join(path, 'seed-0'))).toEqual(['plain.json']);
  });

  it('records nothing when the measurement fails', async () => {
    const folder = await ResultsFolder.open(path, SETUP);
    const failing = folder.record('seed-0/plain', () => Promise.reject(new Error('interrupted')));
    await expect(failing).rejects.toThrow('interrupted');
    expect(await folder.record('seed-0/plain', async () => 'now')).toBe('now');
  });

  it('refuses to mix results of different setups, and damaged files', async () => {
    const folder = await ResultsFolder.open(path, SETUP);
    await expect(ResultsFolder.open(path, { ...SETUP, width: 1 })).rejects.toThrow('width = 0.5, but now it is 1.');
    await expect(ResultsFolder.open(path, { ...SETUP, perClass: 20 })).rejects.toThrow(
      'perClass = all, but now it is 20.',
    );
    await writeFile(join(path, 'broken.json'), '{');
    await expect(folder.record('broken', async () => 1)).rejects.toThrow('broken.json');
  });
});
