import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runUntil } from './crash.ts';
import { readEvents } from './read-events.ts';
import { secateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

let folder: string;
let settings: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-'));
  const config = join(folder, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({ preset: 'smoke', imagesPerClass: 2, checkpoints: { everySteps: 1, everyMinutes: null } }),
  );
  const data = await writeTinyCifar10({ perFile: 2 });
  settings = ['--config', config, '--data', data, '--batch-size', '20', '--threads', '1', '--quiet'];
});

const weights = (out: string) => readFileSync(join(out, 'model', 'weights.bin')).toString('base64');
const states = (out: string) => readdirSync(join(out, 'checkpoints')).map((name) => join(out, 'checkpoints', name));

/** Without times. */
async function eventsOf(out: string): Promise<unknown[]> {
  const events = await readEvents(out);
  return events
    .filter(({ type }) => type !== 'resumed')
    .map(({ seconds, at, milliseconds, teacherMilliseconds, imagesPerSecond, secondsLeft, ...event }) => event);
}

describe.each([
  ['train', () => ['--network', 'vgg11', '--width', '0.0625', '--epochs', '8']],
  ['finetune', () => [join(folder, 'train-whole'), '--epochs', '8']],
] as const)('%s', (command, own) => {
  const out = (name: string) => join(folder, `${command}-${name}`);
  const start = (name: string) => [command, ...own(), ...settings, '--out', out(name)];
  const resume = (name: string) => [command, '--resume', out(name), '--quiet'];
  beforeAll(async () => {
    const whole = await runUntil(start('whole'));
    expect(whole.code, whole.stderr).toBe(0);
    const killed = await runUntil(start('killed'), { duringCheckpoint: 6 });
    expect(killed).toMatchObject({ killed: true });
    for (const copy of ['damaged', 'foreign']) cpSync(out('killed'), out(copy), { recursive: true });
  });

  it('ends with the same bits when it is killed, and killed again', async () => {
    expect(await runUntil(resume('killed'), { duringCheckpoint: 4 })).toMatchObject({ killed: true });
    const ended = await runUntil(resume('killed'));
    expect(ended.code, ended.stderr).toBe(0);
    expect(weights(out('killed'))).toBe(weights(out('whole')));
    expect(await eventsOf(out('killed'))).toEqual(await eventsOf(out('whole')));
    expect(readdirSync(out('killed')).sort()).toEqual(readdirSync(out('whole')).sort());
    expect(states(out('killed'))).toEqual([]);
    const { test } = JSON.parse(readFileSync(join(out('killed'), 'summary.json'), 'utf8'));
    expect(test).toEqual(JSON.parse(readFileSync(join(out('whole'), 'summary.json'), 'utf8')).test);
  });

  it('goes on from the older checkpoint when the last one was cut short', async () => {
    const last = states(out('damaged')).sort().at(-1)!;
    truncateSync(last, 1000);
    const { code, stderr } = await secateur(...resume('damaged'));
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`warning: the checkpoint '${last}' is damaged`);
    expect(weights(out('damaged'))).toBe(weights(out('whole')));
  });

  it('shows the result of one that is complete again', async () => {
    const { code, stdout } = await secateur(...resume('whole'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(out('whole'), 'summary.json'), 'utf8')));
  });

  it('takes no other settings, and no other images', async () => {
    const other = await secateur(...resume('foreign'), '--epochs', '9');
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('leave out --epochs, or start another') });
    const images = await secateur(...resume('foreign'), '--data', await writeTinyCifar10({ perFile: 3 }));
    expect(images.code).toBe(1);
    expect(images.stderr).toMatch(/error: No checkpoint can be gone on from: .* was made with another set of images/);
  });

  it('names itself where its folder is asked for by another command, or for something new', async () => {
    const run = await secateur('run', '--resume', out('foreign'));
    expect(run.stderr).toContain(`Go on with it by: secateur ${command} --resume`);
    const again = await secateur(...start('foreign'));
    expect(again.stderr).toContain(`Go on with it by: secateur ${command} --resume '${out('foreign')}'`);
    expect([run.code, again.code]).toEqual([1, 1]);
  });
});

it('a finetune does not go on with another network than it began with', async () => {
  const [model, out] = [join(folder, 'changing'), join(folder, 'finetune-changed')];
  cpSync(join(folder, 'train-whole', 'model'), model, { recursive: true });
  const args = ['finetune', model, '--epochs', '8', ...settings, '--out', out];
  expect(await runUntil(args, { duringCheckpoint: 4 })).toMatchObject({ killed: true });
  const bytes = readFileSync(join(model, 'weights.bin'));
  bytes[2]! ^= 1;
  writeFileSync(join(model, 'weights.bin'), bytes);
  const { code, stderr } = await secateur('finetune', '--resume', out);
  expect(code).toBe(1);
  expect(stderr).toMatch(/error: No checkpoint can be gone on from: .* was made with another network/);
});

it('finetune asks for a model where there is nothing to go on with', async () => {
  expect(await secateur('finetune')).toMatchObject({ code: 2, stderr: "error: missing required argument 'model'\n" });
  expect(await secateur('finetune', 'some-model', '--resume', folder)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("leave out 'some-model'"),
  });
});
