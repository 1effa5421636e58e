import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LayerRanking, type SelectionOptions, selectFilters } from './select-filters.ts';

const removed = (layers: LayerRanking[], options: SelectionOptions) =>
  selectFilters(layers, options).removed.map(({ layer, filter }) => `${layer}${filter}`);

const TWO_LAYERS: LayerRanking[] = [
  { layer: 'a', scores: [5, 1, 9, 2, 7] },
  { layer: 'b', scores: [0, 8, 1, 6, 4] },
];

describe('selectFilters', () => {
  it('follows its strategy', () => {
    expect(removed(TWO_LAYERS, { threshold: 3, maxFraction: 0.2 })).toEqual(['b0', 'a1']);
    expect(removed(TWO_LAYERS, { strategy: 'threshold', threshold: 3, maxFraction: 0.2 })).toEqual([
      'b0',
      'a1',
      'b2',
      'a3',
    ]);
    expect(removed(TWO_LAYERS, { strategy: 'percentage', maxFraction: 0.6 })).toEqual([
      'b0',
      'a1',
      'b2',
      'a3',
      'b4',
      'a0',
    ]);
    expect(removed(TWO_LAYERS, { threshold: 0.5, maxFraction: 0.6 })).toEqual(['b0']);
  });

  it('compares fractions with the threshold exactly', () => {
    const scores = { numerators: Int32Array.from([29, 30, 31, 27]), denominator: 10 };
    expect(removed([{ layer: 'a', scores }], { strategy: 'threshold', threshold: 3 })).toEqual(['a3', 'a0']);
    expect(removed([{ layer: 'a', scores }], { strategy: 'threshold', threshold: 2.7 })).toEqual([]);
    expect(removed([{ layer: 'a', scores: { numerators: [11], denominator: 10 } }], { threshold: 1.1 })).toEqual([]);
  });

  it('breaks ties by the given values, then layer order, then index', () => {
    const scores = [1, 1, 1];
    const layers = [
      { layer: 'a', scores, tieBreak: [3, 2, 2] },
      { layer: 'b', scores, tieBreak: [2, 1, 9] },
    ];
    expect(removed(layers, { threshold: 2, maxFraction: 0.7 })).toEqual(['b1', 'a1', 'a2', 'b0']);
    expect(
      removed(
        layers.map(({ layer }) => ({ layer, scores })),
        { threshold: 2, maxFraction: 0.7 },
      ),
    ).toEqual(['a0', 'a1', 'b0', 'b1']);
  });

  it('keeps minFilters, and says which candidates stay for it', () => {
    const selection = selectFilters([{ layer: 'a', scores: [0, 1, 2] }, TWO_LAYERS[1]!], {
      strategy: 'threshold',
      threshold: 5,
      minFilters: 2,
    });
    expect(selection.removed.map(({ layer, filter, score }) => [layer, filter, score])).toEqual([
      ['a', 0, 0],
      ['b', 0, 0],
      ['b', 2, 1],
      ['b', 4, 4],
    ]);
    expect(selection.keptAsLast).toEqual([
      { layer: 'a', filter: 1, score: 1 },
      { layer: 'a', filter: 2, score: 2 },
    ]);
  });

  it('limits what one layer gives up in one call', () => {
    const selection = selectFilters(TWO_LAYERS, { strategy: 'threshold', threshold: 10, maxLayerFraction: 0.4 });
    expect(selection.removed.map(({ layer, filter }) => layer + filter)).toEqual(['b0', 'a1', 'b2', 'a3']);
    expect(selection.keptByLayerCap.map(({ layer, filter }) => layer + filter)).toEqual([
      'b4',
      'a0',
      'b3',
      'a4',
      'b1',
      'a2',
    ]);
  });

  it('takes the same share of every layer with the scope layer, whatever the scores are', () => {
    const layers = [
      { layer: 'a', scores: [500, 100, 900, 200, 700] },
      { layer: 'b', scores: [0, 8, 1, 6, 4] },
    ];
    const scope = 'layer' as const;
    const selection = selectFilters(layers, { strategy: 'percentage', scope, maxFraction: 0.4 });
    // The lowest of each layer first, then the next of each: a part of the list takes as much of every layer too.
    expect(selection.removed.map(({ layer, filter }) => layer + filter)).toEqual(['a1', 'b0', 'a3', 'b2']);
    expect(selection.cap).toBe(4);
    expect(removed(layers, { strategy: 'both', scope, maxFraction: 0.4, threshold: 5 })).toEqual(['b0', 'b2']);
    expect(removed(layers, { strategy: 'threshold', scope, threshold: 7 })).toEqual(['b0', 'b2', 'b4', 'b3']);
    expect(removed(layers, { strategy: 'percentage', scope, maxFraction: 0.1 })).toEqual([]);
    // A block that is begun in one layer takes nothing from the others.
    const wide = ['a', 'b', 'c'].map((layer) => ({ layer, scores: Array.from({ length: 16 }, (_, f) => f) }));
    const blocks = selectFilters(wide, { strategy: 'percentage', scope, maxFraction: 0.1, roundTo: 4 });
    expect(blocks).toMatchObject({ cap: 3, stops: [4, 8, 12] });
  });

  it('leaves multiples of roundTo, taking the block with the lowest mean', () => {
    const selection = selectFilters(
      [
        { layer: 'a', scores: [9, 1, 8, 2, 7, 3] },
        { layer: 'b', scores: [0, 30, 30, 30, 0, 30, 30, 30] },
      ],
      { strategy: 'threshold', threshold: 5, roundTo: 4 },
    );
    // a goes from 6 to 4 with its lowest two; its third candidate and b's two do not fill a block of 4.
    expect(selection.removed.map(({ layer, filter }) => layer + filter)).toEqual(['a1', 'a3']);
    expect(selection.stops).toEqual([2]);
    expect(selection.keptByRounding.map(({ layer, filter }) => layer + filter)).toEqual(['b0', 'b4', 'a5']);
  });

  it('lets a block begin that a cap cannot hold whole, so that rounding never stops everything', () => {
    const layer = { layer: 'a', scores: Array.from({ length: 32 }, (_, f) => f) };
    const options = { strategy: 'percentage', maxFraction: 0.1, maxLayerFraction: 0.1, roundTo: 8 } as const;
    expect(selectFilters([layer], options)).toMatchObject({ cap: 3, stops: [8] });
    expect(selectFilters([layer], { ...options, maxFraction: 0 }).removed).toEqual([]);
    const last = { layer: 'a', scores: Array.from({ length: 8 }, (_, f) => f) };
    expect(selectFilters([last], options).removed).toEqual([]);
    expect(selectFilters([last], { ...options, maxFraction: 0.5, maxLayerFraction: 1 }).keptAsLast.length).toBe(8);
  });

  it('removes units whole, and counts what their layers have besides', () => {
    const unit = (...filters: [string, number][]) => ({
      filters: filters.map(([layer, filter]) => ({ layer, filter })),
    });
    const group: LayerRanking = {
      layer: 'sum',
      scores: [3, 1, 2],
      units: [unit(['a', 0], ['b', 1]), unit(['a', 1], ['b', 2]), unit(['a', 2], ['b', 3])],
    };
    const layerSizes = new Map([['b', 4]]);
    const selection = selectFilters([group], { strategy: 'percentage', maxFraction: 0.5, layerSizes });
    expect(selection).toMatchObject({ filters: 6, cap: 3, stops: [2, 4] });
    expect(selection.removed.map(({ layer, filter }) => layer + filter)).toEqual(['a1', 'b2', 'a2', 'b3']);
    // Of a, one has to stay; b has a fourth filter, so that it could spare three.
    const all = selectFilters([group], { strategy: 'percentage', maxFraction: 1, layerSizes });
    expect(all.removed.length).toBe(4);
    expect(all.keptAsLast.map(({ layer, filter }) => layer + filter)).toEqual(['a0', 'b1']);
    // Multiples of 2 in both: a is at 3 and b at 4, so no number of units fits both.
    const even = selectFilters([group], { strategy: 'percentage', maxFraction: 1, layerSizes, roundTo: 2 });
    expect(even.removed).toEqual([]);
    expect(even.keptByRounding.length).toBe(6);
  });

  it('takes the cap from the decimal that was meant', () => {
    const layer = { layer: 'a', scores: Array.from({ length: 100 }, () => 0) };
    expect(selectFilters([layer], { threshold: 1, maxFraction: 0.29 }).cap).toBe(29);
  });

  it.each<[string, LayerRanking[], SelectionOptions, string]>([
    ['no threshold', TWO_LAYERS, {}, "strategy 'both' needs a threshold, but it is undefined"],
    ['a NaN threshold', TWO_LAYERS, { threshold: Number.NaN }, 'but it is NaN'],
    [
      'a fraction above 1',
      TWO_LAYERS,
      { threshold: 3, maxFraction: 10 },
      'maxFraction must lie between 0 and 1, but is 10',
    ],
    [
      'no filter to keep',
      TWO_LAYERS,
      { threshold: 3, minFilters: 0 },
      'minFilters must be a whole number of at least 1',
    ],
    [
      'a NaN score',
      [{ layer: 'a', scores: [1, Number.NaN] }],
      { threshold: 3 },
      "layer 'a' must be a finite number, but is NaN for filter 1",
    ],
    ['a layer twice', [TWO_LAYERS[0]!, TWO_LAYERS[0]!], { threshold: 3 }, 'list a layer twice'],
    [
      'a zero denominator',
      [{ layer: 'a', scores: { numerators: [1], denominator: 0 } }],
      { threshold: 3 },
      'denominator 0',
    ],
    [
      'too few tie-breaks',
      [{ layer: 'a', scores: [1, 2], tieBreak: [1] }],
      { threshold: 3 },
      '2 scores, but 1 tie-break',
    ],
  ])('refuses %s', (_, layers, options, message) => {
    expect(() => selectFilters(layers, options)).toThrow(message);
  });

  it('keeps its promises for any scores', () => {
    const scores = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 });
    const network = fc.array(scores, { minLength: 1, maxLength: 5 });
    const options = fc.record({
      strategy: fc.constantFrom('threshold' as const, 'percentage' as const, 'both' as const),
      threshold: fc.integer({ min: 0, max: 5 }),
      maxFraction: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
      maxLayerFraction: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
      minFilters: fc.integer({ min: 1, max: 3 }),
      roundTo: fc.constantFrom(1, 2, 3, 4),
      scope: fc.constantFrom('global' as const, 'layer' as const),
    });
    fc.assert(
      fc.property(network, options, (numerators, chosen) => {
        const layers = numerators.map((list, index) => ({
          layer: `l${index}`,
          scores: { numerators: list, denominator: 10 },
        }));
        const selection = selectFilters(layers, chosen);
        expect(selectFilters(structuredClone(layers), chosen)).toEqual(selection);

        const total = numerators.flat().length;
        // What goes as a block may exceed a cap by less than its own number, with the scope 'layer' in every layer.
        const overshoot = (layersOfCap: number) =>
          1 + (chosen.scope === 'layer' ? layersOfCap : 1) * (chosen.roundTo - 1);
        expect(selection.stops.at(-1) ?? 0).toBe(selection.removed.length);
        if (chosen.strategy !== 'threshold') {
          expect(selection.removed.length).toBeLessThan(
            Math.floor((Math.round(chosen.maxFraction * 10) * total) / 10) + overshoot(numerators.length),
          );
          expect(selection.cap).toBeLessThanOrEqual(Math.floor((Math.round(chosen.maxFraction * 10) * total) / 10));
        }
        if (chosen.strategy !== 'percentage') {
          for (const { score } of selection.removed) expect(score).toBeLessThan(chosen.threshold);
        }
        for (const [index, list] of numerators.entries()) {
          const gone = selection.removed.filter(({ layer }) => layer === `l${index}`);
          expect(new Set(gone.map(({ filter }) => filter)).size).toBe(gone.length);
          expect(list.length - gone.length).toBeGreaterThanOrEqual(Math.min(chosen.minFilters, list.length));
          expect(gone.length).toBeLessThan(
            Math.floor((Math.round(chosen.maxLayerFraction * 10) * list.length) / 10) + chosen.roundTo,
          );
          if (gone.length > 0) expect((list.length - gone.length) % chosen.roundTo).toBe(0);
        }
        if (chosen.roundTo > 1 || chosen.scope === 'layer') return;
        const order = selection.removed.map(({ score, layer, filter }) => [score, Number(layer.slice(1)), filter]);
        for (let i = 1; i < order.length; i++) {
          const [before, after] = [order[i - 1]!, order[i]!];
          const decisive = before.findIndex((value, key) => value !== after[key]);
          expect(before[decisive]!).toBeLessThan(after[decisive]!);
        }
        // Below the cap, every candidate either went or is accounted for.
        if (selection.removed.length < selection.cap) {
          const { removed, keptAsLast, keptByLayerCap, candidates } = selection;
          expect(removed.length + keptAsLast.length + keptByLayerCap.length).toBe(candidates.length);
        }
      }),
      { seed: 1 },
    );
  });
});
