import type { Snapshot } from '../memory/growth.ts';
import { percent } from '../memory/growth.ts';

export interface SoakOptions {
  readonly steps: number;
  /** Images in a batch. */
  readonly batch: number;
}

export interface SoakMeasurement {
  /** After each tenth of the steps. */
  readonly snapshots: readonly (Snapshot & { readonly imagesPerSecond: number })[];
}

/** The most that resident memory may grow from the end of the first tenth on. */
export const RESIDENT_GROWTH = 0.01;
/** The most that the last tenth may be slower than the first. */
export const SLOWDOWN = 0.05;

/** What did not stay as it was, one sentence each. */
export function findWear({ snapshots }: SoakMeasurement): string[] {
  const [first, last] = [snapshots[0]!, snapshots.at(-1)!];
  const found: string[] = [];
  for (const what of ['tensors', 'handles'] as const) {
    if (snapshots.some((snapshot) => snapshot[what] !== first[what])) {
      found.push(`Expected as many ${what} all the time, but got ${snapshots.map((snapshot) => snapshot[what])}.`);
    }
  }
  const growth = last.residentBytes / first.residentBytes - 1;
  if (growth > RESIDENT_GROWTH) {
    found.push(
      `Expected resident memory to grow by at most ${percent(RESIDENT_GROWTH)}, but it was ${percent(growth)}.`,
    );
  }
  const slowdown = 1 - last.imagesPerSecond / first.imagesPerSecond;
  if (slowdown > SLOWDOWN) {
    found.push(
      `Expected the last tenth to be at most ${percent(SLOWDOWN)} slower than the first, but it was ${percent(slowdown)}.`,
    );
  }
  return found;
}
