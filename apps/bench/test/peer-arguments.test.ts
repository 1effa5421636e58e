import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { NETWORKS, OBJECTIVES, PRECISIONS } from '../src/train-step/setting.ts';
import { runProgram } from './bench.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;

const peer = (...args: string[]) => runProgram('python3', ['peers/train_step.py', ...args]);

// Wrong arguments are told before torch is loaded, so any Python will do.
describe.skipIf(!hasPython)('peers/train_step.py (needs python3)', () => {
  it.each([
    [['--model', 'alexnet'], "argument --model: invalid choice: 'alexnet'"],
    [['--model', 'vgg16', '--precision', 'float16'], "argument --precision: invalid choice: 'float16'"],
    [['--model', 'vgg16', '--batch', '0'], 'argument --batch: expected a whole number of at least 1, but got 0'],
    [['--model', 'vgg16', '--width', '-1'], 'argument --width: expected a positive number, but got -1'],
    [['--precision', 'float32'], 'the following arguments are required: --model'],
    [['--model', 'vgg16', '--layout', 'nchw'], 'unrecognized arguments: --layout nchw'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr, stdout } = await peer(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
  });

  it('knows every setting that bench asks for', async () => {
    const { stdout } = await peer('--help');
    for (const choices of [NETWORKS, PRECISIONS, OBJECTIVES]) {
      const offered = [...stdout.matchAll(/\{([\w,]+)\}/g)].map((match) => match[1]!.split(',').sort().join());
      expect(offered).toContain([...choices].sort().join());
    }
  });
});
