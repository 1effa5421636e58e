import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PeersReport } from '../src/peers/report.ts';
import { findPythonWithTorch } from '../src/python.ts';
import { bench } from './bench.ts';

const python = await findPythonWithTorch().catch(() => undefined);

const TINY = [
  '--width',
  '0.0625',
  '--batch',
  '4',
  '--steps',
  '1',
  '--iterations',
  '1',
  '--repeats',
  '1',
  '--images',
  '2',
];
const ONE_ROUND = ['--rounds', '1', '--retries', '0', '--threads', '1', '--precisions', 'bfloat16'];

describe.skipIf(python === undefined)('bench peers (needs a Python with torch)', () => {
  it('measures training, scoring, surgery and the whole way to the same network on both sides', async () => {
    const out = join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), 'peers');
    const what = [
      '--parts',
      'training,scoring,surgery,end-to-end',
      '--models',
      'vgg16',
      '--classes',
      '3',
      '--share',
      '0.3',
    ];
    const peers = () => bench('peers', '--json', '--out', out, ...what, ...TINY, ...ONE_ROUND);
    const { code, stdout, stderr } = await peers();
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as PeersReport;
    expect(report.rows.map(({ part, key }) => `${part}: ${key}`)).toEqual([
      'training: vgg16/bfloat16/plain',
      'training: vgg16/bfloat16/full',
      'scoring: vgg16/3 classes x 2',
      'scoring: vgg16/3 classes x 2, weights frozen',
      'surgery: vgg16',
      'end-to-end: vgg16/bfloat16',
    ]);
    for (const { runs, comparison } of report.measured) {
      const [peer, ours] = runs;
      expect([peer!.side, ours!.side]).toEqual(['peer', 'ours']);
      // Both end with the same sizes.
      expect(ours!.parameters).toBe(peer!.parameters);
      expect(comparison.ratio).toBeCloseTo(peer!.milliseconds[0]! / ours!.milliseconds[0]!, 9);
    }
    for (const { milliseconds, peakBytes, memoryRatio } of report.rows) {
      expect(Math.min(milliseconds.ours, milliseconds.peer)).toBeGreaterThan(0);
      expect(memoryRatio).toBe(peakBytes.ours / peakBytes.peer);
    }
    expect(report.engines).toHaveLength(2);

    const again = await peers();
    expect(again.stderr).toBe('');
    expect((JSON.parse(again.stdout) as PeersReport).rows).toEqual(report.rows);
  });

  it('cuts a ResNet to the same sizes', async () => {
    const out = join(await mkdtemp(join(tmpdir(), 'secateur-bench-')), 'peers');
    const what = ['--parts', 'surgery', '--models', 'resnet20', '--json', '--out', out];
    const { stdout, stderr } = await bench('peers', ...what, ...TINY, ...ONE_ROUND, '--width', '0.25');
    const [{ runs }] = (JSON.parse(stdout || stderr) as PeersReport).measured as [PeersReport['measured'][number]];
    expect(runs[1]!.parameters).toBe(runs[0]!.parameters);
  });
});
