import { describe, expect, it } from 'vitest';
import { type CompareOptions, compareSides, type Run, type Side, summarise } from './compare.ts';
import type { Measurement } from './measurement.ts';

const KEY = 'vgg16/bfloat16/plain';

/** A measurement of one 100 ms / `speed` step, which is 10 * speed images per second for a batch of one. */
function measured(speed: number, busyCpus = 2): Measurement {
  return {
    engine: 'test',
    parameters: 1,
    milliseconds: [100 / speed],
    busyCpus,
    startBytes: speed / 5,
    peakBytes: speed,
  };
}

/** Hands out the given measurements in turn and remembers who asked. */
function script(measurements: readonly Measurement[], options: Partial<CompareOptions> = {}) {
  const asked: Side[] = [];
  const compare = compareSides(KEY, {
    batch: 1,
    threads: 2,
    rounds: 2,
    retries: 2,
    measure: async (side) => {
      asked.push(side);
      return measurements[asked.length - 1]!;
    },
    ...options,
  });
  return compare.then((result) => ({ ...result, asked }));
}

describe('compareSides', () => {
  it('measures the sides by turns, PyTorch first, and divides within each round', async () => {
    const { asked, comparison, runs } = await script([measured(10), measured(20), measured(100), measured(130)]);
    expect(asked).toEqual(['peer', 'ours', 'peer', 'ours']);
    expect(runs.map((run) => run.round)).toEqual([0, 0, 1, 1]);
    expect(comparison.key).toBe('vgg16/bfloat16/plain');
    // The mean of 20 / 10 and 130 / 100, and not 75 / 55.
    expect(comparison.ratio).toBeCloseTo(1.65, 12);
    expect(comparison.ours).toEqual({ imagesPerSecond: 750, busyCpus: 2, peakBytes: 75, addedBytes: 60 });
    expect(comparison.peer).toEqual({ imagesPerSecond: 550, busyCpus: 2, peakBytes: 55, addedBytes: 44 });
  });

  it("takes a run's speed from its median step", async () => {
    const slowOnce = { ...measured(1), milliseconds: [10, 500, 20] };
    const { runs } = await script([slowOnce, slowOnce], { batch: 4, rounds: 1 });
    expect(runs[0]!.imagesPerSecond).toBe(200);
  });

  it('measures a round again when either side got too little CPU, and keeps the record', async () => {
    const { comparison, runs } = await script([
      measured(10),
      measured(90, 1.89),
      measured(10),
      measured(12),
      measured(10),
      measured(14),
    ]);
    expect(runs.map((run) => run.disturbed)).toEqual([false, true, false, false, false, false]);
    expect(comparison.countedRounds).toEqual([1, 2]);
    expect(comparison.disturbedRounds).toBe(0);
    expect(comparison.ratio).toBeCloseTo(1.3, 12);
  });

  it('takes 0.95 of each thread as undisturbed', async () => {
    const { runs } = await script([measured(1, 1.9), measured(1, 1.9)], { rounds: 1, retries: 0 });
    expect(runs.map((run) => run.disturbed)).toEqual([false, false]);
  });

  it('gives up after the retries and fills up with the least disturbed rounds', async () => {
    const pair = (ours: number, busyCpus: number) => [measured(10), measured(ours, busyCpus)];
    const { comparison, runs } = await script([...pair(10, 1), ...pair(20, 1.5), ...pair(30, 2), ...pair(40, 1.2)]);
    expect(runs).toHaveLength(8);
    expect(comparison.countedRounds).toEqual([1, 2]);
    expect(comparison.disturbedRounds).toBe(1);
    expect(comparison.ratio).toBeCloseTo(2.5, 12);
  });

  it('reports every run as it ends', async () => {
    const seen: Run[] = [];
    const { runs } = await script([measured(1), measured(2)], { rounds: 1, onRun: (run) => seen.push(run) });
    expect(seen).toEqual(runs);
  });

  it('stops with the error of a run that fails', async () => {
    const failing = script([], { measure: () => Promise.reject(new Error('out of memory')) });
    await expect(failing).rejects.toThrow('out of memory');
  });
});

describe('summarise', () => {
  it('prefers an undisturbed round to one that merely used more CPU', () => {
    const run = (round: number, side: Side, speed: number, disturbed: boolean, busyCpus: number): Run => ({
      ...measured(speed, busyCpus),
      key: 'k',
      round,
      side,
      imagesPerSecond: speed,
      disturbed,
    });
    const runs = [
      run(0, 'peer', 10, false, 2.4),
      run(0, 'ours', 50, true, 2.4),
      run(1, 'peer', 10, false, 2),
      run(1, 'ours', 15, false, 2),
    ];
    expect(summarise(runs, 1)).toMatchObject({ ratio: 1.5, countedRounds: [1], disturbedRounds: 0 });
  });
});
