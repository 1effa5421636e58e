import type { TargetState } from '@secateur/core';
import { describe, expect, it } from 'vitest';
import { judgeGoals } from './goals.ts';
import type { RunConfig } from './run-config.ts';

const TARGET = { kind: 'macs', removed: 0.505, atMost: null, batchSize: 1 } as const;
const GOALS = { macsRemoved: 0.5, accuracyDrop: 0.01, unprunedAccuracy: 0.85, minutes: 15, logitDifference: 1e-3 };
const OUTCOME = {
  macsRemoved: 0.55,
  target: { kind: 'macs', value: 0.9e6, goal: 0.99e6 } as const,
  unprunedAccuracy: 0.88,
  prunedAccuracy: 0.87,
  minutes: 12,
  maxLogitDifference: 2e-6,
  differentClass: 0,
};

it('tells the distance from each goal, positive on the right side', () => {
  const goals = judgeGoals({ goals: GOALS, target: TARGET }, OUTCOME);
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
  expect(judgeGoals({ goals: GOALS, target: TARGET }, OUTCOME)[2]).toMatchObject({ met: true, value: 0.88 - 0.87 });
  expect(judgeGoals({ goals: GOALS, target: TARGET }, { ...OUTCOME, prunedAccuracy: 0.8699 })[2]).toMatchObject({
    met: false,
  });
});

it('misses what is on the wrong side, and a logit difference of infinity', () => {
  const missed = judgeGoals(
    { goals: GOALS, target: TARGET },
    {
      ...OUTCOME,
      macsRemoved: 0.49,
      unprunedAccuracy: 0.84,
      prunedAccuracy: 0.85,
      minutes: 16,
      maxLogitDifference: Number.POSITIVE_INFINITY,
      differentClass: 1,
    },
  );
  expect(missed.map(({ met }) => met)).toEqual([false, false, true, false, false, false]);
  expect(missed[2]!.spare).toBeCloseTo(0.02, 12);
});

it('leaves out goals that were not set, never the verification', () => {
  const none = { ...GOALS, macsRemoved: null, accuracyDrop: null, unprunedAccuracy: null, minutes: null };
  expect(judgeGoals({ goals: none, target: TARGET }, OUTCOME).map(({ unit }) => unit)).toEqual(['logit', 'images']);
});

describe('the goal of size follows the target', () => {
  const sizeGoal = (target: RunConfig['target'], state: TargetState, macsRemoved: number | null = 0.5) =>
    judgeGoals({ goals: { ...GOALS, macsRemoved }, target }, { ...OUTCOME, target: state })[0];

  it('is no greater than what was asked for', () => {
    const state = { kind: 'macs', value: 0.9e6, goal: 1.4e6 } as const;
    expect(sizeGoal({ ...TARGET, removed: 0.3 }, state)).toMatchObject({
      name: 'MACs removed',
      goal: 0.3,
      value: 0.55,
    });
    expect(sizeGoal({ ...TARGET, removed: 0.8 }, state)).toMatchObject({ goal: 0.5 });
  });

  it.each<[RunConfig['target'], TargetState, string]>([
    [{ ...TARGET, kind: 'params' }, { kind: 'params', value: 70, goal: 60 }, 'parameters left'],
    [{ ...TARGET, kind: 'latency' }, { kind: 'latency', value: 7, goal: 6 }, 'time of a batch'],
    [{ ...TARGET, removed: null, atMost: 60 }, { kind: 'macs', value: 70, goal: 60 }, 'MACs left'],
  ])('is the target itself where that is %j', (target, state, name) => {
    expect(sizeGoal(target, state)).toMatchObject({
      name,
      sense: 'at most',
      goal: state.goal,
      value: state.value,
      met: false,
    });
    expect(sizeGoal(target, { ...state, value: state.goal })).toMatchObject({ met: true, spare: 0 });
    expect(sizeGoal(target, state, null)).toMatchObject({ name: 'unpruned test accuracy' });
  });
});
