import { expect, it } from 'vitest';
import { polarisation } from './report.ts';

it('polarisation: filters of less than one class, of nearly all, and two heaps', () => {
  const scores = Array.from({ length: 20 }, () => [0, 0.5, 0.9, 1, 5, 9, 9.5, 10, 10, 10]).flat();
  const { belowOne, aboveAllButOne, bimodality } = polarisation({ classes: 10, scores });
  expect(belowOne).toBe(0.3);
  expect(aboveAllButOne).toBe(0.4);
  expect(bimodality).toBeGreaterThan(5 / 9);
});
