import { deviation, percent } from '../format.ts';
import type { PrunedNetwork } from '../network-study/prune-in-steps.ts';
import type { ScoresRecord } from '../network-study/recipe.ts';
import { plot } from '../plot/plot.ts';
import { bimodality, type Spread, spread } from '../statistics.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';

/** How far scores lie apart: the paper's regularisers are to push them to both ends. */
export interface Polarisation {
  /** Share of the filters that matter to less than one class, and to all but less than one. */
  readonly belowOne: number;
  readonly aboveAllButOne: number;
  /** Sarle's coefficient. */
  readonly bimodality: number;
}

export interface MeasuredPruning extends Omit<PrunedNetwork, 'folders'> {
  readonly objective: string;
  readonly strategy: string;
  readonly seed: number;
}

export interface MeasuredScores extends ScoresRecord {
  readonly objective: string;
  readonly criterion: string;
  readonly seed: number;
}

export interface AblationReport {
  /** Of the unpruned networks' scores. */
  readonly polarisations: readonly PolarisationSummary[];
  readonly summaries: readonly PruningSummary[];
  readonly prunings: readonly MeasuredPruning[];
}

/** Over seeds. */
export type PolarisationSummary = { readonly [Measure in keyof Polarisation]: Spread } & {
  readonly objective: string;
  readonly criterion: string;
  readonly each: readonly (Polarisation & { readonly seed: number })[];
};

/** Over seeds. */
export interface PruningSummary {
  readonly objective: string;
  readonly strategy: string;
  readonly seeds: number;
  /** Test accuracies: before, after, and of the unpruned network that was trained for as long. */
  readonly unpruned: Spread;
  readonly pruned: Spread;
  readonly longer: Spread;
  readonly macsRemoved: Spread;
  readonly endings: readonly string[];
}

export function buildReport(prunings: readonly MeasuredPruning[], scores: readonly MeasuredScores[]): AblationReport {
  return {
    polarisations: groupBy(scores, ({ objective, criterion }) => `${objective} ${criterion}`).map((alike) => {
      const { objective, criterion } = alike[0]!;
      const each = alike.map((one) => ({ seed: one.seed, ...polarisation(one) }));
      return {
        objective,
        criterion,
        belowOne: spread(each.map(({ belowOne }) => belowOne)),
        aboveAllButOne: spread(each.map(({ aboveAllButOne }) => aboveAllButOne)),
        bimodality: spread(each.map(({ bimodality }) => bimodality)),
        each,
      };
    }),
    summaries: groupBy(prunings, ({ objective, strategy }) => `${objective} ${strategy}`).map((alike) => {
      const { objective, strategy } = alike[0]!;
      return {
        objective,
        strategy,
        seeds: alike.length,
        unpruned: spread(alike.map(({ base }) => base.test)),
        pruned: spread(alike.map(({ pruned }) => pruned.test)),
        longer: spread(alike.map(({ longer }) => longer.test)),
        macsRemoved: spread(alike.map(({ base, pruned }) => 1 - pruned.macs / base.macs)),
        endings: alike.map(({ ending }) => ending),
      };
    }),
    prunings,
  };
}

export function polarisation({ classes, scores }: ScoresRecord): Polarisation {
  const shareOf = (fits: (score: number) => boolean) => scores.filter(fits).length / scores.length;
  return {
    belowOne: shareOf((score) => score < 1),
    aboveAllButOne: shareOf((score) => score > classes - 1),
    bimodality: bimodality(scores),
  };
}

function groupBy<Item>(items: readonly Item[], key: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}

const SCORE_HEADINGS = ['objective', 'scores', 'below 1', 'above C - 1', 'bimodality'];
const HEADINGS = ['objective', 'strategy', 'unpruned', 'pruned', 'trained as long', 'MACs', 'ended by'];

export function presentReport({ polarisations, summaries, prunings }: AblationReport): Presentation {
  const share = ({ mean, standardDeviation }: Spread) => percent(mean) + deviation(standardDeviation);
  const text = [
    `What the regularisers and the strategies add, seeds ${[...new Set(prunings.map(({ seed }) => seed))].join(', ')}`,
    '',
    formatTable(
      HEADINGS,
      summaries.map(({ objective, strategy, unpruned, pruned, longer, macsRemoved, endings }) => [
        objective,
        strategy,
        share(unpruned),
        share(pruned),
        share(longer),
        `-${share(macsRemoved)}`,
        [...new Set(endings)].join(', '),
      ]),
    ),
    '',
    formatTable(
      SCORE_HEADINGS,
      polarisations.map(({ objective, criterion, belowOne, aboveAllButOne, bimodality }) => [
        objective,
        criterion,
        share(belowOne),
        share(aboveAllButOne),
        bimodality.mean.toFixed(3) + deviation(bimodality.standardDeviation, (value) => value.toFixed(3)),
      ]),
    ),
    '',
    'Test accuracies; ± is the standard deviation over seeds. All pruned networks were tuned for as many epochs, and so was the unpruned one.',
  ].join('\n');
  const objectives = [...new Set(prunings.map(({ objective }) => objective))];
  const accuracies = plot({
    title: 'Test accuracy after pruning, each seed',
    x: { label: 'share of the MACs removed' },
    y: { label: 'test accuracy' },
    series: objectives.map((objective) => ({
      name: objective,
      points: prunings
        .filter((one) => one.objective === objective)
        .map(({ base, pruned }) => [1 - pruned.macs / base.macs, pruned.test]),
    })),
  });
  return { text, plots: { accuracy: accuracies } };
}
