import { describe, expect, it } from 'vitest';
import { learningRateAt } from './schedule.ts';

describe('learningRateAt', () => {
  it('stays at a constant rate', () => {
    expect(learningRateAt({ kind: 'constant', rate: 0.1 }, 99, 100)).toBe(0.1);
  });

  it('rises to the peak and falls to almost nothing', () => {
    const rates = Array.from({ length: 101 }, (_, step) => learningRateAt({ kind: 'one-cycle', peak: 1 }, step, 101));
    expect(rates[0]).toBeCloseTo(0.04, 12);
    expect(Math.max(...rates)).toBeGreaterThan(0.999);
    expect(rates.indexOf(Math.max(...rates))).toBe(30);
    expect(rates[100]).toBeCloseTo(4e-6, 12);
    // Half way down: the mean of peak and end.
    expect(rates[65]).toBeCloseTo(0.5, 1);
  });

  it('drops at its milestones', () => {
    const schedule = { kind: 'step', rate: 0.1, milestones: [0.5, 0.75], factor: 0.1 } as const;
    const rates = [0, 49, 50, 74, 75, 99].map((step) => learningRateAt(schedule, step, 100));
    expect(rates.map((rate) => Number(rate.toPrecision(6)))).toEqual([0.1, 0.1, 0.01, 0.01, 0.001, 0.001]);
  });
});
