/** Wall time of the parts of a run; a part may come several times. */
export class Stopwatch {
  readonly #seconds = new Map<string, number>();

  async time<T>(part: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.add(part, (performance.now() - started) / 1000);
    }
  }

  add(part: string, seconds: number): void {
    this.#seconds.set(part, (this.#seconds.get(part) ?? 0) + seconds);
  }

  get seconds(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#seconds].map(([part, seconds]) => [part, Math.round(seconds * 100) / 100]));
  }

  get total(): number {
    return [...this.#seconds.values()].reduce((sum, seconds) => sum + seconds, 0);
  }
}
