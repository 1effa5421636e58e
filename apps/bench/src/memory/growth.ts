import type { RunOptions, Setting } from '../train-step/setting.ts';

export type MemoryOptions = Pick<Setting, 'model' | 'precision'> &
  Pick<RunOptions, 'width' | 'batch' | 'warmup' | 'steps'>;

export interface Snapshot {
  /** tf.memory().numTensors */
  readonly tensors: number;
  /** Live native tensors. */
  readonly handles: number;
  /** For `bench memory` without the free part of V8's heap. */
  readonly residentBytes: number;
}

export interface MemoryMeasurement {
  readonly beforeTraining: Snapshot;
  /** At even distances: the first after warm-up, the last right after the last step. */
  readonly duringTraining: readonly Snapshot[];
  readonly afterTraining: Snapshot;
}

/** The most that resident memory may grow between warm-up and end. */
export const RESIDENT_GROWTH = 0.02;
/** The share of the greatest falls, and of the greatest rises, that does not count. */
const ONE_OFFS = 0.25;

/** What grew though it must not, one sentence each. */
export function findGrowth({ beforeTraining, duringTraining, afterTraining }: MemoryMeasurement): string[] {
  const [afterWarmup, atEnd] = [duringTraining[0]!, duringTraining.at(-1)!];
  const found: string[] = [];
  const expectEqual = (what: 'tensors' | 'handles', from: Snapshot, to: Snapshot, when: string) => {
    if (from[what] !== to[what]) found.push(`Expected as many ${what} ${when}, but ${from[what]} became ${to[what]}.`);
  };
  for (const what of ['tensors', 'handles'] as const) {
    expectEqual(what, afterWarmup, atEnd, 'at the last step as after warm-up');
    expectEqual(what, beforeTraining, afterTraining, 'after training as before');
  }
  const growth = residentGrowth(duringTraining);
  if (growth > RESIDENT_GROWTH) {
    found.push(
      `Expected resident memory to grow by at most ${percent(RESIDENT_GROWTH)}, but it was ${percent(growth)}.`,
    );
  }
  return found;
}

/**
 * How much resident memory grows from the first look to the last as a leak does, a little every time, relative to the first:
 * the interquartile mean of the changes from look to look, times their number. What another thread takes or gives back once,
 * often megabytes at a moment that depends on how busy the machine is, is left out.
 */
export function residentGrowth(looks: readonly Pick<Snapshot, 'residentBytes'>[]): number {
  const bytes = looks.map(({ residentBytes }) => residentBytes);
  const changes = bytes.slice(1).map((now, i) => now - bytes[i]!);
  const oneOffs = Math.floor(ONE_OFFS * changes.length);
  const usual = changes.toSorted((a, b) => a - b).slice(oneOffs, changes.length - oneOffs);
  const mean = usual.reduce((sum, change) => sum + change, 0) / usual.length;
  return (mean * changes.length) / bytes[0]!;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
