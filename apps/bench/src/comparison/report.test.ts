import { expect, test } from 'vitest';
import type { Comparison } from './compare.ts';
import { buildReport, formatReport } from './report.ts';

const MACHINE = { cpu: 'Abacus 3', processors: 2, memoryBytes: 2 ** 30, system: 'linux', node: '20.0.0', load: 0 };
const OPTIONS = { width: 1, batch: 128, warmup: 3, steps: 6, threads: 2, rounds: 3, retries: 3 };

function comparison(key: string, ratio: number, disturbedRounds = 0): Comparison {
  const peer = { imagesPerSecond: 100, busyCpus: 1.97, peakBytes: 300 * 2 ** 20, addedBytes: 200 * 2 ** 20 };
  const ours = { imagesPerSecond: 100 * ratio, busyCpus: 1.95, peakBytes: 400 * 2 ** 20, addedBytes: 210 * 2 ** 20 };
  return { key, ratio, ours, peer, countedRounds: [0, 1, 2], disturbedRounds };
}

const GOALS = { 'vgg16/float32/full': 2.2, 'vgg16/bfloat16/plain': 1, 'resnet20/bfloat16/plain': 1.15 };

const report = (comparisons: Comparison[], width = 1) =>
  buildReport({ comparisons, runs: [], options: { ...OPTIONS, width }, machine: MACHINE, goals: GOALS });

test('the report gives ratios and goals by setting', () => {
  const { ratios, goals } = report([comparison('vgg16/float32/full', 2.5), comparison('resnet20/float32/full', 1.4)]);
  expect(ratios).toEqual({ 'vgg16/float32/full': 2.5, 'resnet20/float32/full': 1.4 });
  expect(goals).toEqual({ 'vgg16/float32/full': 2.2 });
});

test('the table shows both sides, the ratio and how it stands to the goal', () => {
  const text = formatReport(
    report([
      comparison('vgg16/bfloat16/plain', 1),
      comparison('resnet20/bfloat16/plain', 1.1, 1),
      comparison('resnet20/bfloat16/full', 3),
    ]),
    { title: 'Steps of 128 images', notes: ['float32/full is like for like.'] },
  );
  expect(text).toMatch(/^Steps of 128 images, 2 threads, medians of 3 rounds by turns\n/);
  expect(text).toMatch(
    /^vgg16\/bfloat16\/plain +100\.0 +100\.0 +1\.00 +1\.00 met +400 \/ 300 +210 \/ 200 +1\.05 +1\.95 \/ 1\.97$/m,
  );
  expect(text).toMatch(/^resnet20\/bfloat16\/plain +110\.0 +100\.0 +1\.10\* +1\.15 missed/m);
  expect(text).toMatch(/^resnet20\/bfloat16\/full +300\.0 +100\.0 +3\.00 +- /m);
  expect(text).toContain('measure again on a quiet machine');
  expect(text).toContain('float32/full is like for like');
});

test('notes stay away when there is nothing to note', () => {
  const text = formatReport(report([comparison('vgg16/bfloat16/plain', 1.2)]), { title: 'Steps' });
  expect(text).not.toContain('quiet machine');
  expect(text).not.toContain('Goals are for');
  expect(formatReport(report([comparison('vgg16/bfloat16/plain', 1.2)], 0.5), { title: 'Steps' })).toContain(
    'this is width 0.5',
  );
});
