import { expect, test } from 'vitest';
import type { RobustnessReport } from '../src/robustness/report.ts';
import { runStudy, TINY_NETWORK } from './study-folder.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench robustness: attacks on the network before, trained as long, and after pruning', async () => {
  const data = await writeTinyCifar10();
  const what = ['--networks', 'resnet20', '--width', '0.125', '--target', '0.02', '--iterations', '1'];
  const attacks = ['--epsilons', '4,8', '--pgd-steps', '2', '--images', '30'];
  const options = ['--data', data, ...what, ...attacks, ...TINY_NETWORK];
  const { report, text } = await runStudy<RobustnessReport>('robustness', options, ['resnet20']);
  expect(report.measured.map(({ state }) => state)).toEqual(['unpruned', 'trained as long', 'pruned']);
  for (const { clean, fgsm, pgd } of report.measured) {
    for (const accuracy of [clean, ...fgsm, ...pgd]) {
      // A whole number of the 30 images.
      expect(30 * accuracy).toBeCloseTo(Math.round(30 * accuracy), 9);
      expect(accuracy).toBeLessThanOrEqual(1);
    }
    expect([fgsm.length, pgd.length]).toEqual([2, 2]);
  }
  expect(report.measured[2]!.macsRemoved).toBeGreaterThanOrEqual(0.02);
  expect(text).toMatch(/resnet20 trained as long +\d/);
});
