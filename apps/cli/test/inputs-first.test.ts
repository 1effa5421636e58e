import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { vgg11 } from '@secateur/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../src/cli.ts';
import { saveModel } from '../src/run/model-folder.ts';
import { drawImages } from './drawn-images.ts';
import { secateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

let folder: string;
let data: string;
/** What a former run has left. */
let former: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-inputs-'));
  data = await writeTinyCifar10();
  former = join(folder, 'former');
  await mkdir(join(former, 'checkpoints'), { recursive: true });
  await writeFile(join(former, 'config.json'), '{ "command": "run" }');
  await writeFile(join(former, 'events.jsonl'), '{ "seconds": 0, "type": "started" }\n');
  await writeFile(join(former, 'checkpoints', 'state-000007.bin'), 'days of work');
  await saveModel(vgg11({ width: 0.0625 }), join(folder, 'network'));
  await drawImages(join(folder, 'few'), { perClass: 4 });
  await mkdir(join(folder, 'empty'));
});
afterAll(() => rm(folder, { recursive: true }));

const contents = (out: string) =>
  readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(out.length))
    .sort()
    .map((name) => [name, readFileSync(join(out, name), 'utf8')]);

describe('what a command is given is looked at before anything is made or replaced', () => {
  const onImages =
    (...args: string[]) =>
    () => [...args, '--data', data];
  const onFolder =
    (name: string, ...args: string[]) =>
    () => [...args, '--data', `folder:${join(folder, name)}`];

  it.each<[string, () => string[], RegExp]>([
    [
      'no such folder of images',
      onFolder('photo', 'run', '--preset', 'smoke'),
      /photo cannot be read: there is no such folder/,
    ],
    ['a folder without images', onFolder('empty', 'run', '--preset', 'smoke'), /empty holds no class folders/],
    ['too few images to hold some out', onFolder('few', 'run', '--preset', 'smoke'), /hold out at least one image/],
    ['no binary files', () => ['run', '--preset', 'smoke', '--data', folder], /no images in a known format/],
    ['no such network', onImages('run', '--model', 'netwerk'), /netwerk/],
    ['a layer that is not there', onImages('run', '--preset', 'smoke', '--leave-alone', 'cnov1'), /cnov1/],
    ['a class that is not there', onImages('run', '--preset', 'smoke', '--classes', 'cat,dgo'), /dgo/],
    ['no such images to train on', onFolder('photo', 'train'), /photo cannot be read: there is no such folder/],
    ['no such images to tune on', () => ['finetune', join(folder, 'network'), '--data', 'photo'], /'photo' /],
    ['no such scores', () => ['prune', join(folder, 'network'), '--scores', 'score.json'], /score\.json/],
  ])('%s', async (name, args, message) => {
    const [fresh, out] = ['fresh', 'forced'].map((kind) => join(folder, `${kind} ${name}`)) as [string, string];
    const begun = await secateur(...args(), '--out', fresh, '--threads', '1', '--quiet');
    expect(begun).toMatchObject({ stdout: '', stderr: expect.stringMatching(/^error: [^\n]+\n$/) });
    expect([1, 2]).toContain(begun.code);
    expect(begun.stderr).toMatch(message);
    expect(existsSync(fresh)).toBe(false);
    cpSync(former, out, { recursive: true });
    const forced = await secateur(...args(), '--out', out, '--force', '--threads', '1', '--quiet');
    expect(forced).toEqual(begun);
    expect(contents(out)).toEqual(contents(former));
  });

  it('and a folder that is not to be replaced before the images are', async () => {
    const { code, stderr } = await secateur('run', '--preset', 'smoke', '--data', 'folder:photo', '--out', former);
    expect(code).toBe(1);
    expect(stderr).toContain('already holds a run. Go on with it by: secateur run --resume');
  });

  it('and Ctrl-C while images are read leaves a former run as it was', async () => {
    const stop = new AbortController();
    let stderr = '';
    const code = await runCli(['run', '--preset', 'smoke', '--data', data, '--out', former, '--force'], {
      stdout: { write: () => undefined },
      stderr: {
        write: (text: string) => {
          stderr += text;
          if (text.includes('Engine')) stop.abort(new Error('stopped'));
        },
      },
      env: {},
      signal: stop.signal,
    });
    expect(code, stderr).toBe(130);
    expect(contents(former)).toHaveLength(3);
  });
});
