import { describe, expect, it } from 'vitest';
import { type FilterRef, type LayerRanking, type Selection, selectFilters } from '../src/pruning/select-filters.ts';
import { readGoldenJson } from './support/golden.ts';

/** [layer, filter] */
type Place = readonly [number, number];

interface GoldenLayer {
  readonly name: string;
  readonly scores: readonly number[];
}

interface Expected {
  readonly num_remaining: number;
  readonly cap: number;
  readonly num_candidates: number;
  readonly candidates: readonly Place[];
  readonly removed: readonly Place[];
  readonly removed_per_layer: readonly (readonly number[])[];
  readonly kept_as_last_filter: readonly Place[];
  readonly removed_scores_sorted: readonly number[];
}

interface SelectionFile {
  readonly cases: readonly {
    readonly name: string;
    readonly threshold: number;
    readonly max_fraction: number;
    readonly layers: readonly GoldenLayer[];
    readonly expected: Expected;
  }[];
  readonly iterations: readonly {
    readonly name: string;
    readonly threshold: number;
    readonly max_fraction: number;
    readonly layers: readonly GoldenLayer[];
    readonly iterations: readonly Pick<Expected, 'num_remaining' | 'cap' | 'num_candidates' | 'removed'>[];
    readonly finally_kept: readonly (readonly number[])[];
  }[];
}

const { cases, iterations } = readGoldenJson<SelectionFile>('selection.json');

describe('golden selection', () => {
  it.each(cases)('$name', ({ threshold, max_fraction: maxFraction, layers, expected }) => {
    const names = layers.map((layer) => layer.name);
    const place = ({ layer, filter }: FilterRef): Place => [names.indexOf(layer), filter];
    const check = (selection: Selection) => {
      expect(selection.filters).toBe(expected.num_remaining);
      expect(selection.cap).toBe(expected.cap);
      expect(selection.candidates.length).toBe(expected.num_candidates);
      expect(selection.candidates.map(place)).toEqual(expected.candidates);
      expect(selection.removed.map(place)).toEqual(expected.removed);
      expect(selection.removed.map((filter) => filter.score)).toEqual(expected.removed_scores_sorted);
      expect(selection.keptAsLast.map(place)).toEqual(expected.kept_as_last_filter);
      expect(layers.map((layer) => indicesOf(layer.name, selection.removed))).toEqual(expected.removed_per_layer);
    };
    check(
      selectFilters(
        layers.map(({ name, scores }) => ({ layer: name, scores })),
        { threshold, maxFraction },
      ),
    );
  });

  it.each(iterations)('$name, iteration by iteration', (golden) => {
    const { threshold, max_fraction: maxFraction } = golden;
    let left = golden.layers.map(({ name, scores }) => ({ name, scores, original: scores.map((_, filter) => filter) }));
    for (const expected of golden.iterations) {
      const scores: LayerRanking[] = left.map((layer) => ({ layer: layer.name, scores: layer.scores }));
      const selection = selectFilters(scores, { threshold, maxFraction });
      expect(selection.filters).toBe(expected.num_remaining);
      expect(selection.cap).toBe(expected.cap);
      expect(selection.candidates.length).toBe(expected.num_candidates);
      const places = selection.removed.map(({ layer, filter }) => {
        const index = left.findIndex((candidate) => candidate.name === layer);
        return [index, left[index]!.original[filter]!];
      });
      expect(places).toEqual(expected.removed);
      left = left.map((layer) => {
        const gone = new Set(indicesOf(layer.name, selection.removed));
        const stays = (_: number, filter: number) => !gone.has(filter);
        return { name: layer.name, scores: layer.scores.filter(stays), original: layer.original.filter(stays) };
      });
    }
    expect(left.map((layer) => layer.original)).toEqual(golden.finally_kept);
  });
});

function indicesOf(layer: string, filters: readonly FilterRef[]): number[] {
  return filters
    .filter((filter) => filter.layer === layer)
    .map(({ filter }) => filter)
    .sort((a, b) => a - b);
}
