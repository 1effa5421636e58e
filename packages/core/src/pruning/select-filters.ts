/** One filter of one layer. */
export interface FilterRef {
  readonly layer: string;
  readonly filter: number;
}

/** Scores as exact fractions: filter f has score `numerators[f] / denominator`. */
export interface FractionalScores {
  readonly numerators: ArrayLike<number>;
  readonly denominator: number;
}

export interface LayerRanking {
  readonly layer: string;
  /** One per filter; low scores go first. */
  readonly scores: ArrayLike<number> | FractionalScores;
  /** Decides between equal scores, before layer order and filter index; low values go first. */
  readonly tieBreak?: ArrayLike<number>;
}

/**
 * Which filters are candidates, and whether their number is capped (the paper's ablation):
 * `threshold`: all below the threshold, no cap; `percentage`: all filters whatever their score, capped; `both`: those below
 * the threshold, capped.
 */
export type SelectionStrategy = 'threshold' | 'percentage' | 'both';

export interface SelectionOptions {
  readonly strategy?: SelectionStrategy;
  /** A filter is a candidate when its score is strictly below; in the unit of the scores. Needed unless the strategy is `percentage`. */
  readonly threshold?: number;
  /** Share of all listed filters that may go in one call; rounded down. */
  readonly maxFraction?: number;
  /** What every layer keeps. */
  readonly minFilters?: number;
  /** Share of one layer's filters that may go in one call; rounded down. Without it, only `minFilters` protects a layer. */
  readonly maxLayerFraction?: number;
}

export interface Selection {
  readonly strategy: SelectionStrategy;
  /** Filters listed before anything goes. */
  readonly filters: number;
  /** The most that may go. */
  readonly cap: number;
  /** In the order in which they would go. */
  readonly candidates: readonly ScoredFilter[];
  /** In the order in which they go. */
  readonly removed: readonly ScoredFilter[];
  /** Candidates that were met before the cap was reached and stay because their layer has no more than `minFilters` left. */
  readonly keptAsLast: readonly ScoredFilter[];
  /** The same for layers that have given up `maxLayerFraction` of their filters. */
  readonly keptByLayerCap: readonly ScoredFilter[];
}

export interface ScoredFilter extends FilterRef {
  /** In the unit of the rankings: a share of the classes where they come from `rankByShare`. */
  readonly score: number;
}

/**
 * Chooses the filters that go in one iteration (paper section III-C): lowest score first, ties by `tieBreak`, then layer order, then
 * filter index. A filter that its layer cannot spare is passed over and does not count towards the cap.
 *
 * @param layers Layers that may lose filters, in network order; the caps refer to these filters.
 * @throws Error when an option is out of range, a layer appears twice, or a score is not a finite number.
 */
export function selectFilters(layers: readonly LayerRanking[], options: SelectionOptions): Selection {
  const { strategy = 'both', threshold, maxFraction = 0.1, minFilters = 1, maxLayerFraction = 1 } = options;
  checkFraction('maxFraction', maxFraction);
  checkFraction('maxLayerFraction', maxLayerFraction);
  if (!Number.isInteger(minFilters) || minFilters < 1) {
    throw new Error(`minFilters must be a whole number of at least 1, but is ${minFilters}.`);
  }
  const below = strategy === 'percentage' ? Number.POSITIVE_INFINITY : threshold;
  if (below === undefined || Number.isNaN(below)) {
    throw new Error(`The strategy '${strategy}' needs a threshold, but it is ${threshold}.`);
  }

  const all = rankFilters(layers);
  const cap = strategy === 'threshold' ? all.length : share(maxFraction, all.length);
  const candidates = all.filter(({ score }) => score < below);
  const left = countPerLayer(all);
  const allowance = new Map([...left].map(([layer, filters]) => [layer, share(maxLayerFraction, filters)]));

  const removed: ScoredFilter[] = [];
  const keptAsLast: ScoredFilter[] = [];
  const keptByLayerCap: ScoredFilter[] = [];
  for (const candidate of candidates) {
    if (removed.length === cap) break;
    const { layer } = candidate;
    if (left.get(layer)! <= minFilters) keptAsLast.push(candidate);
    else if (allowance.get(layer) === 0) keptByLayerCap.push(candidate);
    else {
      removed.push(candidate);
      left.set(layer, left.get(layer)! - 1);
      allowance.set(layer, allowance.get(layer)! - 1);
    }
  }
  return { strategy, filters: all.length, cap, candidates, removed, keptAsLast, keptByLayerCap };
}

function rankFilters(layers: readonly LayerRanking[]): ScoredFilter[] {
  const names = new Set(layers.map(({ layer }) => layer));
  if (names.size < layers.length) throw new Error('Every layer may be listed once, but the scores list a layer twice.');
  return layers
    .flatMap((layer, place) => {
      const scores = exactScores(layer);
      const tieBreak = layer.tieBreak && finite(layer.tieBreak, `The tie-break of layer '${layer.layer}'`);
      if (tieBreak && tieBreak.length !== scores.length) {
        throw new Error(
          `Layer '${layer.layer}' has ${scores.length} scores, but ${tieBreak.length} tie-break values; expected one each.`,
        );
      }
      return scores.map((score, filter) => ({
        place,
        filter,
        score,
        tieBreak: tieBreak?.[filter] ?? 0,
        layer: layer.layer,
      }));
    })
    .sort((a, b) => a.score - b.score || a.tieBreak - b.tieBreak || a.place - b.place || a.filter - b.filter)
    .map(({ layer, filter, score }) => ({ layer, filter, score }));
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

function countPerLayer(filters: readonly FilterRef[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { layer } of filters) counts.set(layer, (counts.get(layer) ?? 0) + 1);
  return counts;
}

/** 0.29 * 100 is 28.999999999999996 in doubles; the small term keeps it at 29. */
function share(fraction: number, count: number): number {
  return Math.floor(fraction * count + 1e-9);
}

function checkFraction(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new Error(`${name} must lie between 0 and 1, but is ${value}.`);
}
