import { checkChoice, checkCount, checkShare } from '../check-option.ts';
import type { ChannelUnit, FilterRef } from '../graph/channel-graph.ts';
import { LayerBudget, share, type Verdict } from './layer-budget.ts';

export type { FilterRef } from '../graph/channel-graph.ts';

/** Scores as exact fractions: filter f has score `numerators[f] / denominator`. */
export interface FractionalScores {
  readonly numerators: ArrayLike<number>;
  readonly denominator: number;
}

/** What scores are measured in: shares of the classes, of their layer's mean, or in nothing that layers have in common. */
export type ScoreUnit = 'classes' | 'layer mean' | 'none';

/** The filters of one layer, or the units of one group, with their scores. */
export interface LayerRanking {
  /** Of a layer, or of a group where there are `units`. */
  readonly layer: string;
  /** One per filter; low scores go first. */
  readonly scores: ArrayLike<number> | FractionalScores;
  /** Decides between equal scores, before layer order and filter index; low values go first. */
  readonly tieBreak?: ArrayLike<number>;
  /** Filters that go together, one entry per score. Default: score f stands for filter f of `layer`. */
  readonly units?: readonly ChannelUnit[];
  /** Default 'classes'. */
  readonly unit?: ScoreUnit;
}

/**
 * Which filters are candidates, and whether their number is capped (the paper's ablation):
 * `threshold`: all below the threshold, no cap; `percentage`: all filters whatever their score, capped; `both`: those below
 * the threshold, capped.
 */
export type SelectionStrategy = (typeof STRATEGIES)[number];
const STRATEGIES = ['threshold', 'percentage', 'both'] as const;

/**
 * Against which others a filter is ranked. `global`: all of them. `layer`: those of its own layer or group, of which each gives
 * up the same share, for scores that cannot be compared between layers.
 */
export type SelectionScope = (typeof SCOPES)[number];
const SCOPES = ['global', 'layer'] as const;

export interface SelectionOptions {
  readonly strategy?: SelectionStrategy;
  /** A filter is a candidate when its score is strictly below; in the unit of the scores. Needed unless the strategy is `percentage`. */
  readonly threshold?: number;
  /** Default `global`. */
  readonly scope?: SelectionScope;
  /** Share of all listed filters, or with the scope `layer` of each layer's, that may go in one call; rounded down. Default 0.1. */
  readonly maxFraction?: number;
  /** What every layer keeps. Default 1. */
  readonly minFilters?: number;
  /** Share of one layer's filters that may go in one call; rounded down. Without it, only `minFilters` protects a layer. */
  readonly maxLayerFraction?: number;
  /**
   * A layer that loses filters keeps a multiple of this number, such as 8 or 16, which many processors are fastest with. Filters
   * then go in blocks of that size, the first one smaller where a layer has no such multiple yet. Default 1.
   */
  readonly roundTo?: number;
  /** Number of filters of the layers that have more than are listed; `minFilters`, `maxLayerFraction` and `roundTo` speak of them all. */
  readonly layerSizes?: ReadonlyMap<string, number>;
}

export interface Selection {
  readonly strategy: SelectionStrategy;
  /** Filters listed before anything goes. */
  readonly filters: number;
  /** The number of filters at which no more go. What goes together may exceed it, and a layer's cap, by less than its own number. */
  readonly cap: number;
  /** In the order in which they would go. */
  readonly candidates: readonly ScoredFilter[];
  /** In the order in which they go. */
  readonly removed: readonly ScoredFilter[];
  /** After how many of `removed` one may stop early without tearing apart what goes together; ascending, the last is all. */
  readonly stops: readonly number[];
  /** Candidates that were met before the cap was reached and stay because their layer has no more than `minFilters` to spare. */
  readonly keptAsLast: readonly ScoredFilter[];
  /** The same for layers that have given up `maxLayerFraction` of their filters. */
  readonly keptByLayerCap: readonly ScoredFilter[];
  /** The same for those that do not fill up a block of `roundTo`. */
  readonly keptByRounding: readonly ScoredFilter[];
}

export interface ScoredFilter extends FilterRef {
  /** In the unit of the rankings: a share of the classes where they come from `rankByShare` and class-aware scores. */
  readonly score: number;
}

/**
 * Chooses the filters that go in one iteration (paper section III-C): lowest score first, ties by `tieBreak`, then layer order, then
 * filter index. A filter that its layer cannot spare is passed over and does not count towards the cap.
 *
 * @param layers Layers or groups that may lose filters, in network order; the caps refer to these filters.
 * @throws Error when an option is out of range, a layer appears twice, a score is not a finite number, or a threshold is set for
 *   scores without a unit.
 */
export function selectFilters(layers: readonly LayerRanking[], options: SelectionOptions): Selection {
  const { strategy = 'both', scope = 'global', threshold, maxFraction = 0.1 } = options;
  checkOptions(options, layers);
  const groups = rankUnits(layers, scope);
  const all = groups.flat();
  const below = strategy === 'percentage' ? Number.POSITIVE_INFINITY : threshold!;
  const isCandidate = ({ score }: RankedUnit) => score < below;
  const capOf = (units: readonly RankedUnit[]) =>
    strategy === 'threshold' ? countFilters(units) : share(maxFraction, countFilters(units));
  const queues = groups.map((units): Queue => ({ units: units.filter(isCandidate), left: capOf(units) }));
  const cap = scope === 'layer' ? queues.reduce((sum, { left }) => sum + left, 0) : capOf(all);
  const budget = new LayerBudget(all, options);

  const removed: RankedUnit[] = [];
  const stops: number[] = [];
  const kept: Record<Exclude<Verdict, 'goes'>, RankedUnit[]> = { asLast: [], byLayerCap: [], byRounding: [] };
  for (let gone = 0; scope === 'layer' || gone < cap; gone = stops.at(-1) ?? 0) {
    const open = scope === 'layer' ? queues.filter(({ left }) => left > 0) : queues;
    const [first] = open.flatMap((queue) => nextBlock(queue, budget)).sort((a, b) => byRank(a.rank, b.rank));
    if (!first) break;
    const { queue, units, verdict } = first;
    queue.units.splice(0, units.length);
    if (verdict !== 'goes') {
      kept[verdict].push(...units);
      continue;
    }
    const filters = countFilters(units);
    queue.left -= filters;
    budget.spend(units);
    removed.push(...units);
    stops.push(gone + filters);
  }
  return {
    strategy,
    filters: countFilters(all),
    cap,
    candidates: toFilters(all.filter(isCandidate).sort(byRank)),
    removed: toFilters(removed),
    stops,
    keptAsLast: toFilters(kept.asLast),
    keptByLayerCap: toFilters(kept.byLayerCap),
    keptByRounding: toFilters(kept.byRounding),
  };
}

/** What decides the order: low `key` first, then low `tieBreak`, then the earlier group, then the lower number. */
interface Rank {
  readonly key: number;
  readonly tieBreak: number;
  readonly place: number;
  readonly index: number;
}

interface RankedUnit extends Rank {
  readonly score: number;
  readonly filters: readonly FilterRef[];
}

/** What is left of a group to be looked at, in order, and how many filters it may give up with the scope 'layer'. */
interface Queue {
  readonly units: RankedUnit[];
  left: number;
}

interface Block {
  readonly queue: Queue;
  readonly units: readonly RankedUnit[];
  readonly rank: Rank;
  readonly verdict: Verdict;
}

/** The units at the head of a queue that can only go together, and whether they may. Empty at the end of the queue. */
function nextBlock(queue: Queue, budget: LayerBudget): Block[] {
  const [head] = queue.units;
  if (!head) return [];
  const size = budget.blockSize(head);
  if (size > queue.units.length) return [{ queue, units: [...queue.units], rank: head, verdict: 'byRounding' }];
  const units = queue.units.slice(0, size);
  return [{ queue, units, rank: meanRank(units), verdict: budget.judge(units) }];
}

function meanRank(units: readonly RankedUnit[]): Rank {
  const mean = (of: (unit: RankedUnit) => number) => units.reduce((sum, unit) => sum + of(unit), 0) / units.length;
  const { place, index } = units[0]!;
  return { key: mean(({ key }) => key), tieBreak: mean(({ tieBreak }) => tieBreak), place, index };
}

/** The units of each ranking, in order. */
function rankUnits(layers: readonly LayerRanking[], scope: SelectionScope): RankedUnit[][] {
  const names = new Set(layers.map(({ layer }) => layer));
  if (names.size < layers.length) throw new Error('Every layer may be listed once, but the scores list a layer twice.');
  return layers.map((layer, place) => {
    const scores = exactScores(layer);
    const expectOneEach = (list: ArrayLike<unknown> | undefined, what: string) => {
      if (!list || list.length === scores.length) return;
      throw new Error(
        `Layer '${layer.layer}' has ${scores.length} scores, but ${list.length} ${what}; expected one each.`,
      );
    };
    const tieBreak = layer.tieBreak && finite(layer.tieBreak, `The tie-break of layer '${layer.layer}'`);
    expectOneEach(tieBreak, 'tie-break values');
    expectOneEach(layer.units, 'units');
    const units = scores
      .map((score, index) => ({
        key: score,
        tieBreak: tieBreak?.[index] ?? 0,
        place,
        index,
        score,
        filters: layer.units?.[index]?.filters ?? [{ layer: layer.layer, filter: index }],
      }))
      .sort(byRank);
    // How far down its own layer a unit stands says more than a score that means nothing elsewhere.
    return scope === 'layer' ? units.map((unit, i) => ({ ...unit, key: (i + 1) / units.length })) : units;
  });
}

function byRank(a: Rank, b: Rank): number {
  return a.key - b.key || a.tieBreak - b.tieBreak || a.place - b.place || a.index - b.index;
}

/**
 * A double division is correctly rounded, so a fraction that equals the threshold as a decimal (27/10 and 2.7) becomes the
 * very same double, and one that does not cannot come out equal: comparing the quotients is exact.
 */
function exactScores({ layer, scores }: LayerRanking): number[] {
  if (!('numerators' in scores)) return finite(scores, `The score of layer '${layer}'`);
  const { numerators, denominator } = scores;
  if (!(denominator > 0))
    throw new Error(`The scores of layer '${layer}' have the denominator ${denominator}; expected more than 0.`);
  return finite(numerators, `The score of layer '${layer}'`).map((numerator) => numerator / denominator);
}

function finite(values: ArrayLike<number>, what: string): number[] {
  return Array.from(values, (value, filter) => {
    if (!Number.isFinite(value))
      throw new Error(`${what} must be a finite number, but is ${value} for filter ${filter}.`);
    return value;
  });
}

function toFilters(units: readonly RankedUnit[]): ScoredFilter[] {
  return units.flatMap(({ filters, score }) => filters.map(({ layer, filter }) => ({ layer, filter, score })));
}

function countFilters(units: readonly RankedUnit[]): number {
  return units.reduce((sum, { filters }) => sum + filters.length, 0);
}

function checkOptions(options: SelectionOptions, layers: readonly LayerRanking[]): void {
  const {
    strategy = 'both',
    scope = 'global',
    threshold,
    maxFraction = 0.1,
    minFilters = 1,
    maxLayerFraction = 1,
    roundTo = 1,
  } = options;
  checkChoice('strategy', strategy, STRATEGIES);
  checkChoice('scope', scope, SCOPES);
  checkShare('maxFraction', maxFraction);
  checkShare('maxLayerFraction', maxLayerFraction);
  checkCount('minFilters', minFilters);
  checkCount('roundTo', roundTo);
  if (strategy === 'percentage') return;
  if (threshold === undefined || Number.isNaN(threshold)) {
    throw new Error(`The strategy '${strategy}' needs a threshold, but it is ${threshold}.`);
  }
  if (layers.some(({ unit }) => unit === 'none')) {
    throw new Error(
      `The strategy '${strategy}' compares scores with a threshold, but these scores have no unit that a threshold could have. Use the strategy 'percentage', or normalise the scores by the layer's mean.`,
    );
  }
}
