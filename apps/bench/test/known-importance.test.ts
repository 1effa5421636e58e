import { expect, test } from 'vitest';
import type { KnownImportanceReport } from '../src/known-importance/report.ts';
import { runStudy } from './study-folder.ts';

test('bench known-importance: the reference score counts what was planted', async () => {
  const sizes = ['--seeds', '1', '--noises', '0', '--classes', '4', '--filters', '4', '--readouts', 'planted'];
  const options = [...sizes, '--criteria', 'reference,l1-norm'];
  const { report, text } = await runStudy<KnownImportanceReport>('known-importance', options, ['ordered-planted']);
  const [reference, norm] = report.recoveries;
  expect(reference).toEqual({
    readout: 'planted',
    noise: 0,
    criterion: 'reference',
    ordered: 1,
    exact: 1,
    rankCorrelation: 1,
  });
  expect(norm!.exact).toBe(0);
  expect(text).toContain('planted      0  reference  100.00 %  100.00 %             1.000');
});
