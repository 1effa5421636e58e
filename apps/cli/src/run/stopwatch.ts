/** Wall time of the parts of a run; a part may come several times. */
export class Stopwatch {
  readonly #seconds: Map<string, number>;
  #running: { readonly part: string; since: number } | undefined;

  /** @param seconds What earlier processes took. */
  constructor(seconds: Readonly<Record<string, number>> = {}) {
    this.#seconds = new Map(Object.entries(seconds));
  }

  async time<T>(part: string, work: () => Promise<T>): Promise<T> {
    this.#running = { part, since: performance.now() };
    try {
      return await work();
    } finally {
      this.#lap();
      this.#running = undefined;
    }
  }

  add(part: string, seconds: number): void {
    this.#seconds.set(part, (this.#seconds.get(part) ?? 0) + seconds);
  }

  get seconds(): Readonly<Record<string, number>> {
    this.#lap();
    return Object.fromEntries([...this.#seconds].map(([part, seconds]) => [part, Math.round(seconds * 100) / 100]));
  }

  /** Counts what the part under way has taken so far. */
  #lap(): void {
    if (!this.#running) return;
    const now = performance.now();
    this.add(this.#running.part, (now - this.#running.since) / 1000);
    this.#running.since = now;
  }
}
