import { percent } from '../format.ts';
import { plot } from '../plot/plot.ts';
import { mean, rankCorrelation } from '../statistics.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';
import type { KnownImportanceRecord, Readout } from './planting.ts';

export interface Measured extends KnownImportanceRecord {
  readonly readout: Readout;
  readonly noise: number;
  readonly seed: number;
}

/** How well a criterion finds what was planted; means over seeds. */
export interface Recovery {
  readonly readout: Readout;
  readonly noise: number;
  readonly criterion: string;
  /** Share of the pairs of filters that serve different numbers of classes and are scored in that order. */
  readonly ordered: number;
  /** Share of the filters whose score is the number of classes that they serve. */
  readonly exact: number;
  /** Spearman's, of scores and numbers of classes. */
  readonly rankCorrelation: number;
}

export interface KnownImportanceReport {
  readonly recoveries: readonly Recovery[];
  readonly measured: readonly Measured[];
}

export function buildReport(measured: readonly Measured[]): KnownImportanceReport {
  const settings = new Map(measured.map((one) => [`${one.readout} ${one.noise}`, one]));
  const recoveries = [...settings.values()].flatMap(({ readout, noise, scores }) => {
    const alike = measured.filter((one) => one.readout === readout && one.noise === noise);
    return Object.keys(scores).map((criterion) => {
      const average = (of: (planted: readonly number[], scores: readonly number[]) => number) =>
        mean(alike.map(({ planted, scores }) => of(planted, scores[criterion]!)));
      return {
        readout,
        noise,
        criterion,
        ordered: average(orderedShare),
        exact: average((planted, scores) => scores.filter((score, f) => score === planted[f]).length / scores.length),
        rankCorrelation: average(rankCorrelation),
      };
    });
  });
  return { recoveries, measured };
}

/** Of the pairs of filters that serve different numbers of classes: the share in which the one that serves more scores higher. */
export function orderedShare(planted: readonly number[], scores: readonly number[]): number {
  let [pairs, ordered] = [0, 0];
  planted.forEach((more, f) => {
    planted.forEach((fewer, g) => {
      if (more <= fewer) return;
      pairs++;
      if (scores[f]! > scores[g]!) ordered++;
    });
  });
  return ordered / pairs;
}

const HEADINGS = ['readout', 'noise', 'criterion', 'ordered', 'exact', 'rank correlation'];

export function presentReport({ recoveries, measured }: KnownImportanceReport): Presentation {
  const rows = recoveries.map(({ readout, noise, criterion, ordered, exact, rankCorrelation }) => [
    readout,
    String(noise),
    criterion,
    percent(ordered),
    percent(exact),
    rankCorrelation.toFixed(3),
  ]);
  const seeds = [...new Set(measured.map(({ seed }) => seed))];
  const text = [
    `Filters planted for none, one, several and all classes: what the criteria make of them, seeds ${seeds.join(', ')}`,
    '',
    formatTable(HEADINGS, rows),
    '',
    'ordered: pairs of filters that serve different numbers of classes and score in that order; exact: filters that score that number.',
  ].join('\n');
  const criteria = [...new Set(recoveries.map(({ criterion }) => criterion))];
  const plots = [...new Set(recoveries.map(({ readout }) => readout))].map((readout) => [
    `ordered-${readout}`,
    plot({
      title: `Pairs of filters in the right order (${readout} readout)`,
      x: { label: 'noise' },
      y: { label: 'share of the pairs' },
      series: criteria.map((criterion) => ({
        name: criterion,
        mark: 'line',
        points: recoveries
          .filter((one) => one.criterion === criterion && one.readout === readout)
          .map(({ noise, ordered }) => [noise, ordered]),
      })),
    }),
  ]);
  return { text, plots: Object.fromEntries(plots) };
}
