import { expect, test } from 'vitest';
import type { AblationReport } from '../src/ablation/report.ts';
import { runStudy, TINY_NETWORK } from './study-folder.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench ablation: every pruning gets as many epochs, and so does the unpruned network', async () => {
  const data = await writeTinyCifar10();
  const what = [
    '--network',
    'resnet20',
    '--width',
    '0.125',
    '--objectives',
    'l1',
    '--strategies',
    'threshold,percentage',
  ];
  const options = ['--data', data, ...what, ...TINY_NETWORK, '--iterations', '2', '--threshold', '0.05'];
  const { report, pieces } = await runStudy<AblationReport>('ablation', options, ['accuracy']);
  expect(pieces.filter((piece) => piece.includes('/base') || piece.includes('longer'))).toEqual([
    'l1/seed-0/base ...',
    'l1/seed-0/longer-3 ...',
  ]);
  const [threshold, percentage] = report.prunings;
  expect(threshold!.strategy).toBe('threshold');
  expect(percentage!.steps.map(({ removed }) => removed)).toEqual([4, 3]);
  for (const { base, steps, pruned, longer, tuningEpochs } of report.prunings) {
    expect(tuningEpochs).toBe(3);
    expect(steps.reduce((sum, { epochs }) => sum + epochs, 0) + pruned.epochs).toBe(3);
    expect([longer.epochs, longer.macs]).toEqual([3, base.macs]);
    expect(pruned.macs).toBe((steps.at(-1) ?? base).macs);
  }
  expect(percentage!.pruned.macs).toBeLessThan(percentage!.base.macs);
  for (const { belowOne, aboveAllButOne, bimodality } of report.polarisations) {
    expect(belowOne.mean).toBeGreaterThanOrEqual(0);
    expect(belowOne.mean + aboveAllButOne.mean).toBeLessThanOrEqual(1);
    expect(bimodality.mean).toBeLessThanOrEqual(1);
  }
  expect(report.polarisations.map(({ criterion }) => criterion)).toEqual(['reference', 'graded']);
});
