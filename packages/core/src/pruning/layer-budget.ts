import type { ChannelUnit, FilterRef } from '../graph/channel-graph.ts';
import type { SelectionOptions } from './select-filters.ts';

/** Whether units may go, and else what they stay for. */
export type Verdict = 'goes' | 'asLast' | 'byLayerCap' | 'byRounding';

/** What each layer may still give up while filters are chosen. */
export class LayerBudget {
  readonly #minFilters: number;
  readonly #roundTo: number;
  /** Filters left. */
  readonly #left: Map<string, number>;
  /** Filters that may go before the layer's cap is reached. */
  readonly #allowance: Map<string, number>;

  constructor(units: readonly ChannelUnit[], options: SelectionOptions) {
    const { minFilters = 1, maxLayerFraction = 1, roundTo = 1, layerSizes } = options;
    this.#minFilters = minFilters;
    this.#roundTo = roundTo;
    const listed = countPerLayer(units.flatMap(({ filters }) => filters));
    this.#left = new Map([...listed].map(([layer, filters]) => [layer, layerSizes?.get(layer) ?? filters]));
    this.#allowance = new Map([...this.#left].map(([layer, filters]) => [layer, share(maxLayerFraction, filters)]));
  }

  /** How many units like this one have to go at once, so that every layer keeps a multiple of `roundTo`; Infinity if no number does. */
  blockSize({ filters }: ChannelUnit): number {
    const counts = [...countPerLayer(filters)];
    for (let size = 1; size <= this.#roundTo; size++) {
      if (counts.every(([layer, count]) => (this.#left.get(layer)! - size * count) % this.#roundTo === 0)) return size;
    }
    return Number.POSITIVE_INFINITY;
  }

  judge(units: readonly ChannelUnit[]): Verdict {
    const counts = [...countPerLayer(units.flatMap(({ filters }) => filters))];
    if (counts.some(([layer, count]) => this.#left.get(layer)! - count < this.#minFilters)) return 'asLast';
    // A cap that allows some lets a whole block go: layers with a cap below the block size would otherwise never lose any.
    if (counts.some(([layer]) => this.#allowance.get(layer)! <= 0)) return 'byLayerCap';
    return 'goes';
  }

  spend(units: readonly ChannelUnit[]): void {
    for (const { layer } of units.flatMap(({ filters }) => filters)) {
      this.#left.set(layer, this.#left.get(layer)! - 1);
      this.#allowance.set(layer, this.#allowance.get(layer)! - 1);
    }
  }
}

function countPerLayer(filters: readonly FilterRef[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { layer } of filters) counts.set(layer, (counts.get(layer) ?? 0) + 1);
  return counts;
}

/** 0.29 * 100 is 28.999999999999996 in doubles; the small term keeps it at 29. */
export function share(fraction: number, count: number): number {
  return Math.floor(fraction * count + 1e-9);
}
