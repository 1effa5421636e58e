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

  it('rewinds to the rates of the last epochs of the original training', () => {
    const schedule = { kind: 'one-cycle', peak: 1 } as const;
    const original = Array.from({ length: 100 }, (_, step) => learningRateAt(schedule, step, 100));
    const rewound = Array.from({ length: 40 }, (_, step) =>
      learningRateAt({ kind: 'rewind', schedule, epochs: 10, last: 4 }, step, 40),
    );
    expect(rewound).toEqual(original.slice(60));
  });

  it('rewinds over a milestone, also in fewer steps than the original took', () => {
    const schedule = { kind: 'step', rate: 1, milestones: [0.5, 0.75], factor: 0.1 } as const;
    const rates = Array.from({ length: 8 }, (_, step) =>
      learningRateAt({ kind: 'rewind', schedule, epochs: 200, last: 80 }, step, 8),
    );
    // 8 of 20 steps: from 12 on, with milestones at 10 and 15.
    expect(rates.map((rate) => Number(rate.toPrecision(6)))).toEqual([0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.01]);
  });

  it('refuses to rewind by nothing, or to before the start', () => {
    const schedule = { kind: 'constant', rate: 1 } as const;
    for (const last of [0, 11, Number.NaN]) {
      expect(() => learningRateAt({ kind: 'rewind', schedule, epochs: 10, last }, 0, 5)).toThrow(
        'at most the 10 epochs of the original training',
      );
    }
  });
});
