import type { SpeedComparison } from '@secateur/export';
import { expect, it } from 'vitest';
import { warningsOf } from './bench-onnx.ts';

const latency = { medianMs: 1, p95Ms: 1, imagesPerSecond: 1000, batchSize: 1, runs: 1, bytes: 1 };
const at = (batchSize: number, speedup: number) => ({
  batchSize,
  threads: 1,
  dense: latency,
  pruned: latency,
  speedup,
  realised: speedup / 2,
});
const conv = (name: string, filters: number) => ({
  name,
  opType: 'Conv',
  macs: 100,
  inputs: 16,
  filters,
  group: 1,
  paddedMacs: 150,
  fits: filters % 8 === 0 ? (8 as const) : (1 as const),
  inBlocks: true,
});
const comparison = (
  measurements: SpeedComparison['measurements'],
  partialBlocks: SpeedComparison['partialBlocks'] = [],
): SpeedComparison => ({ macs: { dense: 200, pruned: 100, ratio: 2 }, paddedRatio: 1.5, measurements, partialBlocks });

it('is quiet where at least 0.7 of the ratio arrives', () => {
  expect(warningsOf(comparison([at(1, 1.4), at(128, 2.1)], [conv('conv1', 33)]))).toEqual([]);
});

it('names the settings that are far below, and the layers whose channels do not fill blocks', () => {
  expect(warningsOf(comparison([at(1, 1.2), at(128, 2)], [conv('conv1', 33), conv('conv2', 24)]))).toEqual([
    '2.00 x fewer MACs arrive as a speed-up of only 1.20 x (60 %) at batch 1 with 1 thread. Channels that do not fill blocks of 8 or 16: conv1 (16 in, 33 out: up to 1.50 x the work); conv2 (16 in, 24 out: up to 1.50 x the work). Prune with --round-to 16 or 8.',
  ]);
  expect(warningsOf(comparison([at(1, 1.2)], [conv('conv2', 24)]))[0]).toContain('do not fill blocks of 16: conv2');
  expect(warningsOf(comparison([at(1, 1.2)]))[0]).toMatch(/All channels fill blocks of 16\.$/);
});

it('says when the two files are in the wrong order, and is quiet about equal ones', () => {
  const of = (ratio: number) => ({
    ...comparison([at(1, 0.5)]),
    macs: { dense: 1e6 * ratio, pruned: 1e6, ratio },
  });
  expect(warningsOf(of(0.5))).toEqual([
    'The pruned file takes more MACs than the dense one, 1.00 M: name the dense one first.',
  ]);
  expect(warningsOf(of(1))).toEqual([]);
});

it('names layers that are not computed in blocks', () => {
  const odd = { ...conv('conv4', 81), inputs: 77, inBlocks: false };
  expect(warningsOf(comparison([at(128, 1)], [odd]))[0]).toContain(
    'conv4 (77 in, 81 out: 77 is no multiple of 4: not in blocks at all)',
  );
});

it('counts the layers that it does not name', () => {
  const many = Array.from({ length: 8 }, (_, i) => conv(`conv${i}`, 33));
  expect(warningsOf(comparison([at(1, 1)], many))[0]).toMatch(/conv4 \([^)]*\) and 3 more\./);
});
