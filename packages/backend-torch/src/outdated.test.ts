import { expect, it } from 'vitest';
import type { Binding } from './binding.ts';
import { explainingItsAge } from './outdated.ts';

const refusal = new Error('torch batchNormTrainingGrad(): expected a boolean for argument 8, but got null');
const addon = {
  threads: () => 3,
  setThreads: (count: number) => {
    if (count < 1) throw refusal;
  },
} as unknown as Binding;

it('an outdated addon works where it still fits', async () => {
  const binding = explainingItsAge(addon);
  expect(binding.threads()).toBe(3);
  binding.setThreads(2);
  expect(await binding).toBe(binding);
});

it('says that it is older than the package, and how to build it again, where it fails', () => {
  const binding = explainingItsAge(addon);
  const age = /was built from older sources than this package has.*npx tfjs-backend-torch build/;
  expect(() => binding.trim()).toThrow(/torch has no function trim\. The native part/);
  expect(() => binding.trim()).toThrow(age);
  expect(() => binding.setThreads(0)).toThrow(age);
  expect(() => binding.setThreads(0)).toThrow(refusal.message);
  expect(() => binding.setThreads(0)).toThrow(expect.objectContaining({ cause: refusal }));
});
