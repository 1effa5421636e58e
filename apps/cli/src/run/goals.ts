import type { TargetKind, TargetState } from '@secateur/core';
import type { RunConfig } from './run-config.ts';

export interface Goal {
  readonly name: string;
  readonly unit: 'share' | 'points' | 'minutes' | 'logit' | 'images' | 'MACs' | 'parameters' | 'milliseconds';
  readonly sense: 'at least' | 'at most';
  readonly goal: number;
  readonly value: number;
  /** How far the value is on the right side of the goal; negative when it was missed. */
  readonly spare: number;
  readonly met: boolean;
}

export interface Outcome {
  /** Shares in [0, 1]. */
  readonly macsRemoved: number;
  /** What the pruned network has of what the run's target speaks of. */
  readonly target: TargetState;
  readonly unprunedAccuracy: number;
  readonly prunedAccuracy: number;
  readonly minutes: number;
  readonly maxLogitDifference: number;
  /** Images that network and ONNX file classify differently, ties apart. */
  readonly differentClass: number;
}

/** Differences of decimal fractions such as 0.88 - 0.87 are not exact in doubles. */
const ROUNDING = 1e-9;

/** Measures a run against its goals, leaving out those that it has not set. */
export function judgeGoals({ goals, target }: Pick<RunConfig, 'goals' | 'target'>, outcome: Outcome): Goal[] {
  const atLeast = (name: string, unit: Goal['unit'], goal: number | null, value: number) =>
    goal === null ? [] : [judge({ name, unit, sense: 'at least', goal, value, spare: value - goal })];
  const atMost = (name: string, unit: Goal['unit'], goal: number | null, value: number) =>
    goal === null ? [] : [judge({ name, unit, sense: 'at most', goal, value, spare: goal - value })];
  const drop = outcome.unprunedAccuracy - outcome.prunedAccuracy;
  return [
    ...(target.kind === 'macs' && target.removed !== null
      ? atLeast('MACs removed', 'share', atMostOf(goals.macsRemoved, target.removed), outcome.macsRemoved)
      : atMost(...TARGETS[target.kind], goals.macsRemoved === null ? null : outcome.target.goal, outcome.target.value)),
    ...atLeast('unpruned test accuracy', 'share', goals.unprunedAccuracy, outcome.unprunedAccuracy),
    ...atMost('test accuracy lost by pruning', 'points', goals.accuracyDrop, drop),
    ...atMost('time after downloads', 'minutes', goals.minutes, outcome.minutes),
    ...atMost('largest logit difference of the ONNX file', 'logit', goals.logitDifference, outcome.maxLogitDifference),
    ...atMost('images that the ONNX file classifies differently', 'images', 0, outcome.differentClass),
  ];
}

const TARGETS: Readonly<Record<TargetKind, readonly [name: string, unit: Goal['unit']]>> = {
  macs: ['MACs left', 'MACs'],
  params: ['parameters left', 'parameters'],
  latency: ['time of a batch', 'milliseconds'],
};

/** A run that was asked for less is not measured against more. */
function atMostOf(goal: number | null, asked: number): number | null {
  return goal === null ? null : Math.min(goal, asked);
}

function judge(goal: Omit<Goal, 'met'>): Goal {
  return { ...goal, met: goal.spare >= -ROUNDING };
}
