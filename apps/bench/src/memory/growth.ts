import type { RunOptions, Setting } from '../train-step/setting.ts';

export type MemoryOptions = Pick<Setting, 'model' | 'precision'> &
  Pick<RunOptions, 'width' | 'batch' | 'warmup' | 'steps'>;

export interface Snapshot {
  /** tf.memory().numTensors */
  readonly tensors: number;
  /** Live native tensors. */
  readonly handles: number;
  readonly residentBytes: number;
}

export interface MemoryMeasurement {
  readonly beforeTraining: Snapshot;
  readonly afterWarmup: Snapshot;
  /** Right after the last step. */
  readonly atEnd: Snapshot;
  readonly afterTraining: Snapshot;
}

/** The most that resident memory may grow between warm-up and end. */
export const RESIDENT_GROWTH = 0.02;

/** What grew though it must not, one sentence each. */
export function findGrowth({ beforeTraining, afterWarmup, atEnd, afterTraining }: MemoryMeasurement): string[] {
  const found: string[] = [];
  const expectEqual = (what: 'tensors' | 'handles', from: Snapshot, to: Snapshot, when: string) => {
    if (from[what] !== to[what]) found.push(`Expected as many ${what} ${when}, but ${from[what]} became ${to[what]}.`);
  };
  for (const what of ['tensors', 'handles'] as const) {
    expectEqual(what, afterWarmup, atEnd, 'at the last step as after warm-up');
    expectEqual(what, beforeTraining, afterTraining, 'after training as before');
  }
  const growth = residentGrowth({ afterWarmup, atEnd });
  if (growth > RESIDENT_GROWTH) {
    found.push(
      `Expected resident memory to grow by at most ${percent(RESIDENT_GROWTH)}, but it was ${percent(growth)}.`,
    );
  }
  return found;
}

/** Relative to the memory after warm-up. */
export function residentGrowth({ afterWarmup, atEnd }: Pick<MemoryMeasurement, 'afterWarmup' | 'atEnd'>): number {
  return (atEnd.residentBytes - afterWarmup.residentBytes) / afterWarmup.residentBytes;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
