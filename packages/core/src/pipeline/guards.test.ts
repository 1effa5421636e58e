import { expect, it } from 'vitest';
import type { Evaluation } from '../training/evaluate.ts';
import { type AccuracyGuards, findViolation } from './guards.ts';

/** Correct ones of 10 images of each class; the last class has no images. */
function evaluation(correct: readonly number[]): Evaluation {
  const classes = correct.map((count, c) => ({ className: `c${c}`, correct: count, images: 10 }));
  return {
    images: 10 * correct.length,
    accuracy: correct.reduce((sum, count) => sum + count, 0) / (10 * correct.length),
    loss: 1,
    classes: [...classes, { className: 'empty', correct: 0, images: 0 }],
    confusion: [],
  };
}

const unpruned = evaluation([9, 8, 6]);
const find = (correct: readonly number[], guards: AccuracyGuards) =>
  findViolation(evaluation(correct), { unpruned, guards });

it('accepts what is within all guards', () => {
  // 0.9 - 0.1 is 0.8 but for rounding.
  expect(find([8, 8, 6], { tolerance: 0.05, classTolerance: 0.1, classFloor: 0.6 })).toBeUndefined();
  expect(find([0, 0, 0], { tolerance: 1 })).toBeUndefined();
});

it('names the guard, and the class that is furthest below', () => {
  expect(find([9, 8, 5], { tolerance: 0.01 })).toMatchObject({ guard: 'tolerance', accuracy: 22 / 30 });
  expect(find([7, 5, 6], { tolerance: 1, classTolerance: 0.1 })).toEqual({
    guard: 'classTolerance',
    className: 'c1',
    accuracy: 0.5,
    atLeast: 0.8 - 0.1,
  });
  expect(find([9, 4, 5], { tolerance: 1, classFloor: 0.6 })).toEqual({
    guard: 'classFloor',
    className: 'c1',
    accuracy: 0.4,
    atLeast: 0.6,
  });
});

it('takes an accuracy that is not a number for a violation', () => {
  const broken = { ...unpruned, accuracy: Number.NaN };
  expect(findViolation(broken, { unpruned, guards: { tolerance: 1 } })?.guard).toBe('tolerance');
});
