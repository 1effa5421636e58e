import { deviation, percent, signed } from '../format.ts';
import type { NetworkRecord } from '../network-study/recipe.ts';
import { plot } from '../plot/plot.ts';
import { mean, type Spread, spread } from '../statistics.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';

export interface MeasuredNetwork extends NetworkRecord {
  readonly seed: number;
}

export interface MeasuredRemoval extends MeasuredNetwork {
  readonly criterion: string;
  readonly target: number;
}

/** Of one criterion at one target; means over seeds. */
export interface CriterionSummary {
  readonly criterion: string;
  readonly target: number;
  readonly seeds: number;
  /** Shares that went. */
  readonly macsRemoved: number;
  readonly parametersRemoved: number;
  readonly validation: number;
  readonly test: Spread;
  /** Test accuracy minus that of the same network unpruned and trained for as long. */
  readonly difference: Spread;
  /** Test accuracy of the class that is recognised least. */
  readonly worstClass: number;
  /** Share of its filters that the layer which lost most has left. */
  readonly thinnestLayer: number;
}

export interface CriteriaReport {
  readonly targets: readonly number[];
  /** Target by target, the best validation accuracy first. */
  readonly summaries: readonly CriterionSummary[];
  readonly unpruned: readonly MeasuredNetwork[];
  /** Nothing removed, but tuned as if; seed by seed, as many as targets. */
  readonly longer: readonly MeasuredNetwork[];
  readonly removals: readonly MeasuredRemoval[];
}

export function buildReport(measured: Omit<CriteriaReport, 'summaries'>): CriteriaReport {
  const { targets, removals } = measured;
  const criteria = [...new Set(removals.map(({ criterion }) => criterion))];
  const summaries = targets.flatMap((target) =>
    criteria.map((criterion) => summarise(measured, { criterion, target })).sort((a, b) => b.validation - a.validation),
  );
  return { ...measured, summaries };
}

function summarise(
  { targets, unpruned, longer, removals }: Omit<CriteriaReport, 'summaries'>,
  { criterion, target }: Pick<CriterionSummary, 'criterion' | 'target'>,
): CriterionSummary {
  const alike = removals.filter((one) => one.criterion === criterion && one.target === target);
  const average = (of: (pruned: MeasuredRemoval, base: MeasuredNetwork) => number) =>
    mean(alike.map((one) => of(one, unpruned.find(({ seed }) => seed === one.seed)!)));
  const trainedAsLong = ({ seed }: MeasuredRemoval) =>
    longer.filter((one) => one.seed === seed)[targets.indexOf(target)]!;
  return {
    criterion,
    target,
    seeds: alike.length,
    macsRemoved: average((pruned, base) => 1 - pruned.macs / base.macs),
    parametersRemoved: average((pruned, base) => 1 - pruned.parameters / base.parameters),
    validation: average(({ validation }) => validation),
    test: spread(alike.map(({ test }) => test)),
    difference: spread(alike.map((one) => one.test - trainedAsLong(one).test)),
    worstClass: average(({ worstClass }) => worstClass),
    thinnestLayer: average(({ filters }, base) => Math.min(...filters.map((left, i) => left / base.filters[i]!))),
  };
}

const HEADINGS = [
  'criterion',
  'validation',
  'test',
  'difference',
  'worst class',
  'MACs',
  'parameters',
  'thinnest layer',
];

export function presentReport({ targets, summaries, unpruned, longer }: CriteriaReport): Presentation {
  const atTarget = (target: number) => longer.filter((_, i) => i % targets.length === targets.indexOf(target));
  const both = (networks: readonly MeasuredNetwork[]) =>
    `validation ${percent(mean(networks.map(({ validation }) => validation)))}, test ${withDeviation(spread(networks.map(({ test }) => test)))}`;
  const text = [
    `What criteria keep, seeds ${unpruned.map(({ seed }) => seed).join(', ')}`,
    `Unpruned: ${both(unpruned)}`,
    ...targets.flatMap((target) => [
      '',
      `${percent(target)} of the MACs to remove; unpruned and trained as long: ${both(atTarget(target))}`,
      formatTable(HEADINGS, summaries.filter((summary) => summary.target === target).map(rowOf)),
    ]),
    '',
    'Sorted by validation accuracy, which decides; test accuracy is only reported. The difference is to the unpruned network that was trained',
    'for as long, seed by seed. ± is the standard deviation over seeds.',
  ].join('\n');
  const criteria = [...new Set(summaries.map(({ criterion }) => criterion))];
  const accuracy = plot({
    title: 'Test accuracy after pruning, mean over seeds',
    x: { label: 'share of the MACs removed' },
    y: { label: 'test accuracy' },
    series: [
      {
        name: 'unpruned, trained as long',
        mark: 'line',
        points: targets.map((target) => [target, mean(atTarget(target).map(({ test }) => test))] as const),
      },
      ...criteria.map((name) => ({
        name,
        mark: 'line' as const,
        points: summaries
          .filter(({ criterion }) => criterion === name)
          .map(({ macsRemoved, test }) => [macsRemoved, test.mean] as const),
      })),
    ],
  });
  return { text, plots: { accuracy } };
}

function withDeviation({ mean, standardDeviation }: Spread): string {
  return percent(mean) + deviation(standardDeviation);
}

function rowOf(summary: CriterionSummary): string[] {
  const { mean, standardDeviation } = summary.difference;
  return [
    summary.criterion,
    percent(summary.validation),
    withDeviation(summary.test),
    signed(mean) + deviation(standardDeviation),
    percent(summary.worstClass),
    `-${percent(summary.macsRemoved)}`,
    `-${percent(summary.parametersRemoved)}`,
    `${percent(summary.thinnestLayer)} left`,
  ];
}
