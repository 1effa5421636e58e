import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeSampleRun } from '../../../test/sample-run.ts';
import { crc32c, maskedCrc32c } from './crc32c.ts';
import { writeTensorBoard } from './write-tensorboard.ts';

it('computes the checksums of RFC 3720, appendix B.4', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  // ((crc >> 15) | (crc << 17)) + 0xa282ead8, by hand.
  expect(maskedCrc32c(new Uint8Array(32))).toBe(0x0fd7_fffa);
});

const python = (script: string, ...args: string[]) =>
  execFileSync('python3', [fileURLToPath(new URL(`../../../test/python/${script}`, import.meta.url)), ...args], {
    encoding: 'utf8',
  });

const hasPython = runs(() => execFileSync('python3', ['--version']));
const hasTensorBoard = runs(() => execFileSync('python3', ['-c', 'import tensorboard'], { stdio: 'ignore' }));

interface Read {
  readonly scalars: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  readonly histograms: Readonly<Record<string, readonly object[]>>;
}

describe.each([
  ['a decoder of its own, in Python', 'read-events.py', hasPython],
  ["TensorBoard's own reader", 'read-with-tensorboard.py', hasTensorBoard],
])('the event file, read by %s', (_, script, isThere) => {
  let read: Read;
  beforeAll(async () => {
    if (!isThere) return;
    const folder = await mkdtemp(join(tmpdir(), 'secateur-tensorboard-'));
    const file = await writeTensorBoard(await writeSampleRun(join(folder, 'sample')), join(folder, 'logs'));
    expect(file).toBe(join(folder, 'logs', 'events.out.tfevents.1767323045.secateur'));
    read = JSON.parse(python(script, file));
  });

  it.skipIf(!isThere)('has scalars over steps, epochs and removals', () => {
    // Four steps of the training, one of each tuning.
    expect(read.scalars['loss/total']).toEqual([3, 2.75, 2.5, 2.25, 3, 3].map((value, step) => [step, value]));
    expect(read.scalars['epoch/accuracy']!.slice(0, 2)).toEqual([
      [0, 0.5],
      [1, 0.75],
    ]);
    expect(read.scalars['network/MACs']).toEqual([
      [0, 1000],
      [1, 600],
      [2, 500],
    ]);
    expect(read.scalars['validation/accuracy']!.map(([, value]) => value.toFixed(6))).toEqual([
      '0.800000',
      '0.766667',
      '0.200000',
    ]);
    expect(read.scalars['filters/conv2']).toEqual([
      [1, 6],
      [2, 4],
    ]);
  });

  it.skipIf(!isThere)('has a histogram of the scores of each layer and iteration', () => {
    expect(read.histograms['scores/conv1']).toEqual([
      { step: 1, min: 0, max: 3, num: 4, sum: 7, sumSquares: 19, limits: [0.5, 1.5, 2.5, 3.5], counts: [1, 1, 0, 2] },
      { step: 2, min: 1, max: 3, num: 3, sum: 7, sumSquares: 19, limits: [0.5, 1.5, 2.5, 3.5], counts: [0, 1, 0, 2] },
    ]);
    expect(Object.keys(read.histograms).sort()).toEqual(['scores/conv1', 'scores/conv2']);
  });
});

function runs(command: () => unknown): boolean {
  try {
    command();
    return true;
  } catch {
    return false;
  }
}
