import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { expect, it } from 'vitest';
import { loadModel } from '../src/run/model-folder.ts';
import { spawnSecateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

it('answers with exit codes as a process', async () => {
  const [version, unknown] = await Promise.all([spawnSecateur(['--version']), spawnSecateur(['--colour'])]);
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect(version).toMatchObject({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  expect(unknown).toMatchObject({ code: 2, stdout: '', stderr: "error: unknown option '--colour'\n" });
});

it.each([
  ['SIGINT', 130], // Ctrl-C
  ['SIGTERM', 143],
] as const)('stops at %s after the step under way, with %i and valid files', async (signal, exitCode) => {
  const data = await writeTinyCifar10({ perFile: 2 });
  const out = join(await mkdtemp(join(tmpdir(), 'secateur-')), 'run');
  let interrupted = false;
  const { code, stdout, stderr } = await spawnSecateur(
    [
      'run',
      '--preset',
      'smoke',
      '--width',
      '0.0625',
      '--epochs',
      '10000',
      '--images-per-class',
      '2',
      '--data',
      data,
      '--out',
      out,
      '--threads',
      '1',
    ],
    {
      onStderr: (text, send) => {
        if (interrupted || !text.includes('epoch 2/10000')) return;
        interrupted = true;
        send(signal);
      },
    },
  );
  expect(code, stderr).toBe(exitCode);
  expect(stdout).toBe('');
  expect(stderr).toContain('warning: interrupted; what has been written so far is valid.');
  const events = (await readFile(join(out, 'events.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.at(-1)).toMatchObject({ type: 'interrupted' });
  expect((await loadModel(join(out, 'checkpoints', 'last-good'))).name).toBe('vgg16');
});
