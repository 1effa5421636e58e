import { percent, points } from '../format.ts';
import type { Machine } from '../machine.ts';
import { mean, standardDeviation } from '../statistics.ts';
import { formatTable } from '../table.ts';
import type { Setup } from './protocol.ts';
import type { BaseRecord, Result } from './records.ts';

export interface Base extends BaseRecord {
  readonly seed: number;
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
  readonly test: number;
  /** Standard deviation of the test accuracy over seeds. */
  readonly testDeviation: number;
  /** Test accuracy of the class that is recognised least. */
  readonly worstClass: number;
  /** Share of its filters that the layer which lost most has left. */
  readonly thinnestLayer: number;
}

/** What `bench criteria --json` prints. */
export interface CriteriaReport {
  readonly setup: Setup;
  readonly machine: Machine;
  readonly unpruned: readonly Base[];
  /** Target by target, the best validation accuracy first. */
  readonly summaries: readonly CriterionSummary[];
  readonly results: readonly Result[];
}

export function buildReport(measured: Omit<CriteriaReport, 'summaries'>): CriteriaReport {
  const { unpruned, results } = measured;
  const targets = [...new Set(results.map(({ target }) => target))].sort((a, b) => a - b);
  const summaries = targets.flatMap((target) => {
    const atTarget = results.filter((result) => result.target === target);
    const criteria = [...new Set(atTarget.map(({ criterion }) => criterion))];
    return criteria
      .map((criterion) =>
        summarise(
          atTarget.filter((result) => result.criterion === criterion),
          unpruned,
        ),
      )
      .sort((a, b) => b.validation - a.validation);
  });
  return { ...measured, summaries };
}

function summarise(results: readonly Result[], unpruned: readonly Base[]): CriterionSummary {
  const [{ criterion, target }] = results as readonly [Result];
  const average = (of: (result: Result, base: Base) => number) =>
    mean(results.map((result) => of(result, unpruned.find(({ seed }) => seed === result.seed)!)));
  return {
    criterion,
    target,
    seeds: results.length,
    macsRemoved: average((result, base) => 1 - result.macs / base.macs),
    parametersRemoved: average((result, base) => 1 - result.parameters / base.parameters),
    validation: average(({ validation }) => validation),
    test: average(({ test }) => test),
    testDeviation: standardDeviation(results.map(({ test }) => test)),
    worstClass: average(({ worstClass }) => worstClass),
    thinnestLayer: average(({ filters }, base) => Math.min(...filters.map((left, i) => left / base.filters[i]!))),
  };
}

const HEADINGS = ['criterion', 'validation', 'test', 'worst class', 'MACs', 'parameters', 'thinnest layer'];

export function formatReport({ setup, machine, unpruned, summaries }: CriteriaReport): string {
  const targets = [...new Set(summaries.map(({ target }) => target))];
  const tuned = `${setup.steps} removal(s), ${setup.fineTuneEpochs} epoch(s) after each, ${setup.finalTuneEpochs} after the last`;
  const spread = (values: readonly number[]) => `${percent(mean(values))} ± ${points(standardDeviation(values))}`;
  return [
    `VGG-11, width ${setup.width}, CIFAR-10, seeds ${unpruned.map(({ seed }) => seed).join(', ')}: ${tuned}; filters ranked ${setup.scope}`,
    `${machine.cpu}, ${machine.processors} processors, Node.js ${machine.node}`,
    `Unpruned, after ${setup.epochs} epochs: validation ${spread(unpruned.map(({ validation }) => validation))}, test ${spread(unpruned.map(({ test }) => test))}`,
    ...targets.flatMap((target) => [
      '',
      `${percent(target)} of the MACs to remove`,
      formatTable(HEADINGS, summaries.filter((summary) => summary.target === target).map(rowOf)),
    ]),
    '',
    'Sorted by validation accuracy, which decides; test accuracy is only reported. ± is the standard deviation over seeds.',
  ].join('\n');
}

function rowOf(summary: CriterionSummary): string[] {
  return [
    summary.criterion,
    percent(summary.validation),
    `${percent(summary.test)} ± ${points(summary.testDeviation)}`,
    percent(summary.worstClass),
    `-${percent(summary.macsRemoved)}`,
    `-${percent(summary.parametersRemoved)}`,
    `${percent(summary.thinnestLayer)} left`,
  ];
}
