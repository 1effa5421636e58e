import { checkChoice } from '../check-option.ts';
import type { ChannelUnit } from '../graph/channel-graph.ts';
import type { LayerScores } from '../scoring/criterion.ts';
import type { LayerRanking, ScoreUnit } from './select-filters.ts';

export interface RankingOptions {
  /** Which filters go together, as `readGraph` finds it; filters that are in no group are left out. Default: each goes by itself. */
  readonly groups?: readonly UnitGroup[];
  /**
   * What becomes of the scores of filters that go together. `max`: a unit is as good as its best filter. `sum` favours units with
   * many filters. Default `mean`.
   */
  readonly combine?: ScoreCombination;
  /**
   * `layer mean`: scores are divided by the mean of their layer's absolute scores. Default where they are not class-aware, as norms
   * and activations of different layers have no scale in common. `none`: as they are.
   */
  readonly normalise?: ScoreNormalisation;
}

export type ScoreCombination = (typeof COMBINATIONS)[number];
const COMBINATIONS = ['max', 'mean', 'sum'] as const;

export type ScoreNormalisation = (typeof NORMALISATIONS)[number];
const NORMALISATIONS = ['layer mean', 'none'] as const;

/** Of a `ChannelGroup`. */
export interface UnitGroup {
  readonly name: string;
  readonly units: readonly ChannelUnit[];
}

/**
 * Scores as shares. Class-aware scores become shares of the classes, in [0, 1], for thresholds that are shares too:
 * numerator / (denominator * classes), so that the comparison stays exact, as multiplying the threshold by the number of
 * classes would round it (0.07 * 100 is 7.000000000000001). Other scores become shares of their layer's mean.
 *
 * @returns One ranking for each layer, or for each group with scored filters.
 * @throws Error when `combine` or `normalise` is none of its choices.
 */
export function rankByShare(scores: readonly LayerScores[], options: RankingOptions = {}): LayerRanking[] {
  const isClassAware = scores.some(({ classes }) => classes > 0);
  const {
    groups = scores.map(eachByItself),
    combine = 'mean',
    normalise = isClassAware ? 'none' : 'layer mean',
  } = options;
  checkChoice('combine', combine, COMBINATIONS);
  checkChoice('normalise', normalise, NORMALISATIONS);
  const unit: ScoreUnit = normalise === 'layer mean' ? normalise : isClassAware ? 'classes' : 'none';
  const scored = new Map(
    scores.map((layer) => [layer.layer, normalise === 'none' ? shareOfClasses(layer) : shareOfMean(layer)]),
  );
  return groups.flatMap(({ name, units }) => {
    const members = units
      .map((unit) => ({
        unit,
        fractions: unit.filters.flatMap(({ layer, filter }) => scored.get(layer)?.(filter) ?? []),
      }))
      .filter(({ fractions }) => fractions.length > 0);
    if (members.length === 0) return [];
    return {
      layer: name,
      unit,
      units: members.map((member) => member.unit),
      scores: members.map(({ fractions }) => combineFractions(fractions, combine)),
      tieBreak: members.map(({ fractions }) =>
        combineNumbers(
          fractions.map(({ tieBreak }) => tieBreak),
          combine,
        ),
      ),
    };
  });
}

interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
  readonly tieBreak: number;
}

type FractionOf = (filter: number) => Fraction;

function shareOfClasses({ numerators, denominator, classes, tieBreak }: LayerScores): FractionOf {
  return (filter) => ({
    numerator: numerators[filter]!,
    denominator: denominator * Math.max(1, classes),
    tieBreak: tieBreak[filter]!,
  });
}

function shareOfMean({ numerators, filters, tieBreak }: LayerScores): FractionOf {
  const mean = Array.from(numerators, Math.abs).reduce((sum, value) => sum + value, 0) / filters;
  return (filter) => ({
    numerator: numerators[filter]!,
    denominator: mean > 0 ? mean : 1,
    tieBreak: tieBreak[filter]!,
  });
}

/** With one division at the end where all have the same denominator. */
function combineFractions(fractions: readonly Fraction[], combine: ScoreCombination): number {
  const [{ denominator }] = fractions as readonly [Fraction];
  if (fractions.some((fraction) => fraction.denominator !== denominator)) {
    return combineNumbers(
      fractions.map((fraction) => fraction.numerator / fraction.denominator),
      combine,
    );
  }
  const count = combine === 'mean' ? fractions.length : 1;
  const total = combineNumbers(
    fractions.map(({ numerator }) => numerator),
    combine === 'mean' ? 'sum' : combine,
  );
  return total / (denominator * count);
}

function combineNumbers(values: readonly number[], combine: ScoreCombination): number {
  if (combine === 'max') return Math.max(...values);
  const sum = values.reduce((total, value) => total + value, 0);
  return combine === 'mean' ? sum / values.length : sum;
}

function eachByItself({ layer, filters }: LayerScores): UnitGroup {
  return { name: layer, units: Array.from({ length: filters }, (_, filter) => ({ filters: [{ layer, filter }] })) };
}
