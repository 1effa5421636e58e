import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { vgg16 } from '@secateur/models';
import { expect, it } from 'vitest';
import { CheckpointStore } from '../src/run/checkpoint-store.ts';
import { saveModel } from '../src/run/model-folder.ts';
import type { WorkState } from '../src/run/run-state.ts';
import type { TrainingWork } from '../src/run/train-and-test.ts';
import { readEvents } from './read-events.ts';
import { spawnSecateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

it('answers with exit codes as a process', async () => {
  const [version, unknown] = await Promise.all([spawnSecateur(['--version']), spawnSecateur(['--colour'])]);
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect(version).toMatchObject({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  expect(unknown).toMatchObject({ code: 2, stdout: '', stderr: "error: unknown option '--colour'\n" });
});

it.each(['SIGINT', 'SIGTERM'] as const)(
  'stops at %s after the step under way, with 75 and a checkpoint to go on from',
  async (signal) => {
    const data = await writeTinyCifar10({ perFile: 2 });
    const out = join(await mkdtemp(join(tmpdir(), 'secateur-')), 'run');
    const settings = ['--preset', 'smoke', '--width', '0.0625', '--epochs', '10000', '--images-per-class', '2'];
    let interrupted = false;
    const { code, stdout, stderr } = await spawnSecateur(
      ['run', ...settings, '--data', data, '--out', out, '--threads', '1'],
      {
        onStderr: (text, send) => {
          if (interrupted || !text.includes('epoch 2/10000')) return;
          interrupted = true;
          send(signal);
        },
      },
    );
    expect(code, stderr).toBe(75);
    expect(stdout).toBe('');
    expect(stderr).toContain(`warning: stopped. Go on with: secateur run --resume '${out}'`);
    const events = await readEvents(out);
    expect(events.at(-1)).toMatchObject({ type: 'interrupted' });
    const { step } = events.findLast(({ type }) => type === 'step');
    const store = await CheckpointStore.open<WorkState>(join(out, 'checkpoints'));
    expect((await store.latest())!.state.training).toMatchObject({ step: step + 1 });
  },
);

it('stops a training the same way', async () => {
  const data = await writeTinyCifar10();
  const out = join(await mkdtemp(join(tmpdir(), 'secateur-')), 'trained');
  let interrupted = false;
  const { code, stderr } = await spawnSecateur(
    ['train', '--width', '0.125', '--epochs', '10000', '--data', data, '--out', out, '--threads', '1'],
    {
      onStderr: (text, send) => {
        if (interrupted || !text.includes('epoch 2/10000')) return;
        interrupted = true;
        send('SIGTERM');
      },
    },
  );
  expect(code, stderr).toBe(75);
  expect(stderr).toContain(`warning: stopped. Go on with: secateur train --resume '${out}'`);
  const events = await readEvents(out);
  expect(events.at(-1)).toMatchObject({ type: 'interrupted' });
  const store = await CheckpointStore.open<TrainingWork>(join(out, 'checkpoints'));
  const { step } = events.findLast(({ type }) => type === 'step');
  expect((await store.latest())!.state.training).toMatchObject({ step: step + 1 });
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('says that other commands were interrupted by %s, with %d', async (signal, expected) => {
  const folder = await mkdtemp(join(tmpdir(), 'secateur-'));
  const data = await writeTinyCifar10({ perFile: 40 });
  await saveModel(vgg16({ width: 0.5 }), join(folder, 'model'));
  let interrupted = false;
  const args = ['score', folder, '--data', data, '--images-per-class', '200', '--threads', '1'];
  const { code, stdout, stderr } = await spawnSecateur(args, {
    // Said before the model is read; many seconds' work is left then.
    onStderr: (text, send) => {
      if (interrupted || !text.includes('Engine')) return;
      interrupted = true;
      send(signal);
    },
  });
  expect(code, stderr).toBe(expected);
  expect(stdout).toBe('');
  expect(stderr).toContain('warning: interrupted; what has been written so far is valid.');
  expect(await readdir(folder)).toEqual(['model']);
});
