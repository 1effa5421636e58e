/** Means over equally long stretches of a series: at most `capacity` of them however many values come, in constant memory. */
export class ThinnedSeries<Column extends string> {
  readonly #columns: readonly Column[];
  readonly #capacity: number;
  #stretch = 1;
  #full: number[][] = [];
  #open: number[];
  #inOpen = 0;

  /** @param capacity An even number. */
  constructor(columns: readonly Column[], capacity: number) {
    this.#columns = columns;
    this.#capacity = capacity;
    this.#open = columns.map(() => 0);
  }

  /** How many values one mean is over; the last one may be over fewer. */
  get stretch(): number {
    return this.#stretch;
  }

  add(values: Readonly<Record<Column, number>>): void {
    this.#columns.forEach((column, i) => {
      this.#open[i]! += values[column];
    });
    this.#inOpen++;
    if (this.#inOpen < this.#stretch) return;
    this.#full.push(this.#closeOpen());
    if (this.#full.length === this.#capacity) this.#halve();
  }

  columns(): Record<Column, number[]> {
    const rows = this.#inOpen > 0 ? [...this.#full, this.#open.map((sum) => sum / this.#inOpen)] : this.#full;
    const entries = this.#columns.map((column, i) => [column, rows.map((row) => Number(row[i]!.toPrecision(5)))]);
    return Object.fromEntries(entries) as Record<Column, number[]>;
  }

  #closeOpen(): number[] {
    const mean = this.#open.map((sum) => sum / this.#inOpen);
    this.#open = this.#columns.map(() => 0);
    this.#inOpen = 0;
    return mean;
  }

  #halve(): void {
    this.#stretch *= 2;
    this.#full = Array.from({ length: this.#capacity / 2 }, (_, i) =>
      this.#full[2 * i]!.map((value, column) => (value + this.#full[2 * i + 1]![column]!) / 2),
    );
  }
}
