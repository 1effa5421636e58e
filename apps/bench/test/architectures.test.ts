import { expect, test } from 'vitest';
import type { ArchitecturesReport } from '../src/architectures/report.ts';
import { runStudy, TINY_NETWORK } from './study-folder.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench architectures: a transformer, a U-Net and two networks of thin convolutions lose what they can spare', async () => {
  const data = await writeTinyCifar10();
  const what = ['--networks', 'vit,unet,mobilenetv2,densenet40', '--width', '0.125', '--tolerance', '1'];
  const options = ['--data', data, ...what, ...TINY_NETWORK, '--iterations', '1'];
  const { report } = await runStudy<ArchitecturesReport>('architectures', options, ['steps']);
  expect(report.summaries.map(({ network }) => network)).toEqual(['vit', 'unet', 'mobilenetv2', 'densenet40']);
  for (const { macsRemoved, parametersRemoved, unpruned, pruned } of report.summaries) {
    expect(macsRemoved).toBeGreaterThan(0);
    expect(macsRemoved).toBeLessThan(0.3);
    expect(parametersRemoved).toBeGreaterThan(0);
    for (const accuracy of [unpruned, pruned.mean]) expect(accuracy >= 0 && accuracy <= 1).toBe(true);
  }
  for (const { ending, steps, alongside, pruned, longer, tuningEpochs } of report.measured) {
    expect(ending).toBe('iterations');
    const trained = (of: typeof steps, last: typeof pruned) =>
      of.reduce((sum, { epochs }) => sum + epochs, last.epochs);
    expect([trained(steps, pruned), trained(alongside, longer)]).toEqual([tuningEpochs, tuningEpochs]);
  }
});
