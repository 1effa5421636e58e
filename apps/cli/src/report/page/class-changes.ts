import type { ClassResults } from '../run-report.ts';

export interface ClassChange {
  readonly className: string;
  readonly images: number;
  /** Shares of the class's images. */
  readonly before: number;
  readonly after: number;
  readonly change: number;
  readonly paid: boolean;
}

/** A class paid when it lost at least this. */
export const PAID = 0.01;

/** Classes with images, from the greatest loss to the greatest gain. */
export function classChanges(before: ClassResults, after: ClassResults): ClassChange[] {
  const former = new Map(before.classes.map((entry) => [entry.className, entry]));
  return after.classes
    .flatMap(({ className, correct, images }) => {
      const was = former.get(className);
      if (!was || images === 0 || was.images === 0) return [];
      const [old, now] = [was.correct / was.images, correct / images];
      // Differences of decimal fractions are not exact in doubles.
      return [{ className, images, before: old, after: now, change: now - old, paid: now - old <= -PAID + 1e-9 }];
    })
    .sort((a, b) => a.change - b.change);
}
