import { chmodSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readRun } from '../src/report/read-run.ts';
import { acquireLock } from '../src/run/run-lock.ts';
import { type CrashScene, crashScene, goOn, resultOf, runUntil } from './crash.ts';
import { canMount, mountedFolder, remount } from './mounted-folder.ts';
import { readEvents } from './read-events.ts';
import { secateur } from './run-secateur.ts';

let scene: CrashScene;
let whole: string;
let expected: Record<string, unknown>;
let seconds: number;
beforeAll(async () => {
  scene = await crashScene({ everySteps: 1 });
  whole = join(scene.folder, 'whole');
  const ended = await runUntil(scene.start(whole));
  expect(ended.code, ended.stderr).toBe(0);
  seconds = ended.seconds;
  expected = resultOf(whole);
});

it('ends with the same bits however often it is killed', async () => {
  const out = join(scene.folder, 'killed');
  for (const nth of [1, 3, 15]) {
    expect(await runUntil(goOn(scene, out), { duringCheckpoint: nth })).toMatchObject({ killed: true });
  }
  // By the time that the whole run took, so that most hit on a machine of any speed.
  for (const share of [0.3, 0.5]) await runUntil(goOn(scene, out), { after: 1000 * share * seconds });
  const ended = await runUntil(goOn(scene, out));
  expect(ended.code, ended.stderr).toBe(0);
  expect(resultOf(out)).toEqual(expected);
  // Its report tells the same story: no epoch is missing, and none is told twice.
  const [calm, resumed] = [await readRun(whole), await readRun(out)];
  expect(resumed.resumed).toBeGreaterThanOrEqual(3);
  expect(calm.resumed).toBeUndefined();
  const story = ({ curves, iterations, scores, matrices, layers }: typeof calm) => ({
    curves: curves.map(({ means, ...curve }) => ({
      ...curve,
      means: means.map(({ imagesPerSecond: _, ...mean }) => mean),
    })),
    iterations: iterations.map(({ seconds: _, ...iteration }) => iteration),
    ...{ scores, matrices, layers },
  });
  expect(story(resumed)).toEqual(story(calm));
});

it('makes the same specialist when it is killed before and after the other classes go', async () => {
  const special = await crashScene({ everySteps: 1, change: { classes: ['cat', 'dog'] } });
  const [calm, out] = ['calm', 'killed'].map((name) => join(special.folder, name)) as [string, string];
  expect((await runUntil(special.start(calm))).code).toBe(0);
  expect((await runUntil(special.start(out), { duringCheckpoint: 9 })).killed).toBe(true);
  expect((await runUntil(goOn(special, out), { duringCheckpoint: 12 })).killed).toBe(true);
  const ended = await runUntil(goOn(special, out));
  expect(ended.code, ended.stderr).toBe(0);
  expect(resultOf(out)).toEqual(resultOf(calm));
});

describe('a run that was killed', () => {
  let killed: string;
  beforeAll(async () => {
    killed = join(scene.folder, 'cut');
    expect(await runUntil(scene.start(killed), { duringCheckpoint: 8 })).toMatchObject({ killed: true });
  });

  const copy = (name: string): string => {
    const out = join(scene.folder, name);
    cpSync(killed, out, { recursive: true });
    return out;
  };
  const states = (out: string) =>
    readdirSync(join(out, 'checkpoints'))
      .filter((name) => name.startsWith('state-'))
      .sort()
      .map((name) => join(out, 'checkpoints', name));
  const damage = (file: string) => {
    const bytes = readFileSync(file);
    bytes[bytes.length - 9]! ^= 16;
    writeFileSync(file, bytes);
  };
  const contents = (out: string) =>
    ['config.json', 'events.jsonl', ...states(out).map((file) => file.slice(out.length + 1))].map((name) => [
      name,
      readFileSync(join(out, name)).toString('base64'),
    ]);

  it('goes on from the older checkpoint when the last one is damaged, and says so', async () => {
    const out = copy('damaged');
    const [older, last] = states(out) as [string, string];
    damage(last);
    const { code, stderr } = await secateur('run', '--resume', out, '--quiet');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(
      `warning: the checkpoint '${last}' is damaged: its checksum is not that of its content; it is left as it is, and an older one is used.`,
    );
    expect(resultOf(out)).toEqual(expected);
    expect((await readEvents(out)).filter(({ type }) => type === 'resumed')).toMatchObject([
      { checkpoint: basename(older) },
    ]);
  });

  it('says of each why it cannot be used when none can, and changes nothing', async () => {
    const out = copy('ruined');
    for (const file of states(out)) damage(file);
    const before = contents(out);
    const { code, stderr } = await secateur('run', '--resume', out);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^error: No checkpoint can be gone on from: '.*state-\d+\.bin' is damaged.*; '.*state-\d+\.bin' is damaged/,
    );
    expect(contents(out)).toEqual(before);
  });

  it('is not gone on with by another configuration', async () => {
    const out = copy('changed');
    const config = readFileSync(join(out, 'config.json'), 'utf8');
    writeFileSync(join(out, 'config.json'), config.replace('"width": 0.0625', '"width": 0.125'));
    const before = contents(out);
    const { code, stderr } = await secateur('run', '--resume', out);
    expect(code).toBe(1);
    expect(stderr).toMatch(/'.*state-\d+\.bin' was made with another configuration/);
    expect(contents(out)).toEqual(before);
  });

  it('is left to the process that works on it', async () => {
    const out = copy('busy');
    await rm(join(out, '.lock'));
    const lock = acquireLock(join(out, '.lock'));
    const before = contents(out);
    for (const args of [
      ['--resume', out],
      ['--preset', 'smoke', '--out', out, '--force'],
    ]) {
      const { code, stderr } = await secateur('run', ...args);
      expect(code).toBe(1);
      expect(stderr).toContain(`error: Process ${process.pid} is working in this run directory.`);
    }
    expect(contents(out)).toEqual(before);
    lock.release();
  });
});

it('has nothing to do where the run is complete, and shows its result again', async () => {
  const { code, stdout } = await secateur('run', '--resume', whole, '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(whole, 'summary.json'), 'utf8')));
  expect(resultOf(whole)).toEqual(expected);
});

it('names a folder without a run, and a run of another command', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'secateur-'));
  const resume = () => secateur('run', '--resume', folder);
  expect(await resume()).toMatchObject({ code: 1, stderr: expect.stringContaining('holds no run to go on with') });
  for (const [command, remedy] of [
    ['train', 'Go on with it by: secateur train --resume.'],
    ['prune', 'Start that anew.'],
  ]) {
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ command }));
    const { code, stderr } = await resume();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: Expected a folder of the command 'run', but '.*config\.json' is of/);
    expect(stderr).toContain(`is of '${command}'. ${remedy}\n`);
  }
  expect(readdirSync(folder)).toEqual(['config.json']);
});

it.skipIf(process.getuid?.() !== 0)('names a folder that the user may not write, and leaves it as it is', async () => {
  const out = join(scene.folder, 'of the superuser');
  cpSync(whole, out, { recursive: true });
  const names = readdirSync(out);
  const { seteuid } = process;
  chmodSync(scene.folder, 0o755);
  seteuid!(65534);
  const { code, stderr } = await secateur('run', '--resume', out).finally(() => seteuid!(0));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: The run directory '[^']*' cannot be written \(EACCES[^\n]*\)\. Mend that[^\n]*\n$/);
  expect(readdirSync(out)).toEqual(names);
  expect(resultOf(out)).toEqual(expected);
});

it.skipIf(!canMount())(
  'goes on to the same bits after the disk was full, and after it could not be written',
  async () => {
    const disk = await mountedFolder('1m');
    const out = join(disk, 'run');
    const full = await runUntil(scene.start(out));
    expect(full.code).toBe(1);
    expect(full.stderr).toMatch(/^error: .*ENOSPC[^\n]*\n$/);
    remount(disk, 'ro');
    const readOnly = await runUntil(goOn(scene, out));
    expect(readOnly).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .*EROFS[^\n]*\n$/) });
    remount(disk, 'rw,size=64m');
    const ended = await runUntil(goOn(scene, out));
    expect(ended.code, ended.stderr).toBe(0);
    expect(resultOf(out)).toEqual(expected);
  },
);
