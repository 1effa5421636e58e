import { checkShare } from '../check-option.ts';
import type { Evaluation } from '../training/evaluate.ts';

/** How accurate every network has to be after fine-tuning, on the validation images. All are shares of the images, in [0, 1]. */
export interface AccuracyGuards {
  /** How far the accuracy may fall below the unpruned network's (0.01 is one point). */
  readonly tolerance: number;
  /** How far that of any single class may fall. Default: as far as it likes. */
  readonly classTolerance?: number;
  /** Below which no single class may fall, whatever it was before. */
  readonly classFloor?: number;
}

/** The guard that a network does not pass. Its `accuracy` is less than `atLeast`. */
export interface GuardViolation {
  readonly guard: keyof AccuracyGuards;
  /** Of the two guards of classes: the class that is furthest below. */
  readonly className?: string;
  readonly accuracy: number;
  readonly atLeast: number;
}

/** @throws Error naming the first guard that is no share of the images. */
export function checkGuards({ tolerance, classTolerance = 0, classFloor = 0 }: AccuracyGuards): void {
  for (const [name, value] of Object.entries({ tolerance, classTolerance, classFloor })) checkShare(name, value);
}

/** The first guard that the network violates, if any. */
export function findViolation(
  evaluation: Evaluation,
  { unpruned, guards }: { readonly unpruned: Evaluation; readonly guards: AccuracyGuards },
): GuardViolation | undefined {
  const { tolerance, classTolerance, classFloor } = guards;
  const atLeast = unpruned.accuracy - tolerance;
  if (!(evaluation.accuracy >= atLeast)) return { guard: 'tolerance', accuracy: evaluation.accuracy, atLeast };
  const before = new Map(unpruned.classes.map((entry) => [entry.className, accuracyOf(entry)]));
  return (
    worstClass(evaluation, 'classFloor', () => classFloor) ??
    worstClass(evaluation, 'classTolerance', (className) =>
      classTolerance === undefined ? undefined : before.get(className)! - classTolerance,
    )
  );
}

/** A class without images violates nothing. */
function worstClass(
  { classes }: Evaluation,
  guard: keyof AccuracyGuards,
  limitOf: (className: string) => number | undefined,
): GuardViolation | undefined {
  const [worst] = classes
    .flatMap((entry): GuardViolation[] => {
      const [{ className }, accuracy, atLeast] = [entry, accuracyOf(entry), limitOf(entry.className)];
      return atLeast !== undefined && accuracy < atLeast - ROUNDING ? [{ guard, className, accuracy, atLeast }] : [];
    })
    .sort((a, b) => a.accuracy - a.atLeast - (b.accuracy - b.atLeast));
  return worst;
}

/** 0.9 - 0.1 and 0.8 are different doubles. */
const ROUNDING = 1e-9;

/** NaN for a class without images, which is below nothing. */
function accuracyOf({ correct, images }: { readonly correct: number; readonly images: number }): number {
  return correct / images;
}
