import { expect, it } from 'vitest';
import { judgeGoals } from './goals.ts';

const GOALS = { macsRemoved: 0.5, accuracyDrop: 0.01, unprunedAccuracy: 0.85, minutes: 15, logitDifference: 1e-3 };
const OUTCOME = {
  macsRemoved: 0.55,
  unprunedAccuracy: 0.88,
  prunedAccuracy: 0.87,
  minutes: 12,
  maxLogitDifference: 2e-6,
  differentClass: 0,
};

it('tells the distance from each goal, positive on the right side', () => {
  const goals = judgeGoals(GOALS, OUTCOME);
  expect(goals.map(({ unit, met }) => [unit, met])).toEqual([
    ['share', true],
    ['share', true],
    ['points', true],
    ['minutes', true],
    ['logit', true],
    ['images', true],
  ]);
  const spare = goals.map((goal) => goal.spare);
  expect(spare[0]).toBeCloseTo(0.05, 12);
  expect(spare[1]).toBeCloseTo(0.03, 12);
  expect(spare[3]).toBe(3);
});

it('counts a drop of exactly the goal as met, although 0.88 - 0.87 is above 0.01 in doubles', () => {
  expect(0.88 - 0.87).toBeGreaterThan(0.01);
  expect(judgeGoals(GOALS, OUTCOME)[2]).toMatchObject({ met: true, value: 0.88 - 0.87 });
  expect(judgeGoals(GOALS, { ...OUTCOME, prunedAccuracy: 0.8699 })[2]).toMatchObject({ met: false });
});

it('misses what is on the wrong side, and a logit difference of infinity', () => {
  const missed = judgeGoals(GOALS, {
    macsRemoved: 0.49,
    unprunedAccuracy: 0.84,
    prunedAccuracy: 0.85,
    minutes: 16,
    maxLogitDifference: Number.POSITIVE_INFINITY,
    differentClass: 1,
  });
  expect(missed.map(({ met }) => met)).toEqual([false, false, true, false, false, false]);
  expect(missed[2]!.spare).toBeCloseTo(0.02, 12);
});

it('leaves out goals that were not set, never the verification', () => {
  const none = { ...GOALS, macsRemoved: null, accuracyDrop: null, unprunedAccuracy: null, minutes: null };
  expect(judgeGoals(none, OUTCOME).map(({ unit }) => unit)).toEqual(['logit', 'images']);
});
