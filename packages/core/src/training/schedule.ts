/** How the learning rate runs over the steps of a training. Plain data, so that a run can be stored and repeated. */
export type Schedule =
  | { readonly kind: 'constant'; readonly rate: number }
  /** From `peak / 25` up to `peak` within the first `warmup` part, then down to almost 0, both along a cosine (Smith 2018). */
  | { readonly kind: 'one-cycle'; readonly peak: number; readonly warmup?: number }
  /** `rate`, multiplied by `factor` at each milestone; milestones are parts of the training in (0, 1). */
  | { readonly kind: 'step'; readonly rate: number; readonly milestones: readonly number[]; readonly factor: number }
  /**
   * Learning-rate rewinding (Renda et al. 2020): the last `last` epochs of a training of `epochs` by `schedule`, once more.
   * A training of another length than `last` goes through the same rates faster or slower.
   */
  | { readonly kind: 'rewind'; readonly schedule: Schedule; readonly epochs: number; readonly last: number };

const START_DIVISOR = 25;
const END_DIVISOR = 2.5e5;

/** Learning rate of step `step` (from 0) of `steps`. */
export function learningRateAt(schedule: Schedule, step: number, steps: number): number {
  switch (schedule.kind) {
    case 'constant':
      return schedule.rate;
    case 'one-cycle': {
      const { peak, warmup = 0.3 } = schedule;
      const turn = warmup * steps;
      return step < turn
        ? cosineBetween(peak / START_DIVISOR, peak, step / turn)
        : cosineBetween(peak, peak / END_DIVISOR, (step - turn) / Math.max(1, steps - 1 - turn));
    }
    case 'step': {
      const passed = schedule.milestones.filter((milestone) => step >= milestone * steps).length;
      return schedule.rate * schedule.factor ** passed;
    }
    case 'rewind': {
      const { schedule: original, epochs, last } = schedule;
      if (!(last > 0 && last <= epochs)) {
        throw new Error(
          `Expected a rewind to go back by more than 0 and at most the ${epochs} epochs of the original training, but it goes back by ${last}.`,
        );
      }
      const originalSteps = (steps * epochs) / last;
      return learningRateAt(original, originalSteps - steps + step, originalSteps);
    }
    default:
      return schedule satisfies never;
  }
}

function cosineBetween(from: number, to: number, progress: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(1, progress)))) / 2;
}
