/** How long the steps of a training take. The first one seen does not count: it takes longer than the others. */
export class TrainingPace {
  #first: Moment | undefined;
  #latest: Moment | undefined;

  /** To be called when a step has ended. */
  add({ step }: { readonly step: number }): void {
    this.#latest = { step, end: performance.now() };
    this.#first ??= this.#latest;
  }

  /** Steps that count, and the time that they took. */
  get measured(): { readonly steps: number; readonly seconds: number } {
    const [first, latest] = [this.#first, this.#latest];
    if (!first || !latest) return { steps: 0, seconds: 0 };
    return { steps: latest.step - first.step, seconds: (latest.end - first.end) / 1000 };
  }

  /** Until the end of the training; undefined before a second step. */
  secondsLeft({ step, steps }: { readonly step: number; readonly steps: number }): number | undefined {
    const { measured } = this;
    return measured.steps > 0 ? (measured.seconds / measured.steps) * (steps - step - 1) : undefined;
  }
}

interface Moment {
  readonly step: number;
  readonly end: number;
}
