import { deviation, percent, points, signed } from '../format.ts';
import type { PrunedNetwork } from '../network-study/prune-in-steps.ts';
import { plot } from '../plot/plot.ts';
import { mean, type Spread, spread } from '../statistics.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';

export interface MeasuredArchitecture extends Omit<PrunedNetwork, 'folders'> {
  readonly network: string;
  readonly seed: number;
}

/** How far an architecture went; means over seeds. */
export interface ArchitectureSummary {
  readonly network: string;
  readonly seeds: number;
  readonly macsRemoved: number;
  readonly parametersRemoved: number;
  /** Test accuracies, of pixels where the network labels those. */
  readonly unpruned: number;
  readonly pruned: Spread;
  /** Of the unpruned network that was trained for as long. */
  readonly longer: number;
  readonly endings: readonly string[];
}

export interface ArchitecturesReport {
  readonly tolerance: number;
  readonly summaries: readonly ArchitectureSummary[];
  readonly measured: readonly MeasuredArchitecture[];
}

export function buildReport(measured: readonly MeasuredArchitecture[], tolerance: number): ArchitecturesReport {
  const networks = [...new Set(measured.map(({ network }) => network))];
  const summaries = networks.map((network) => {
    const alike = measured.filter((one) => one.network === network);
    const average = (of: (one: MeasuredArchitecture) => number) => mean(alike.map(of));
    return {
      network,
      seeds: alike.length,
      macsRemoved: average(({ base, pruned }) => 1 - pruned.macs / base.macs),
      parametersRemoved: average(({ base, pruned }) => 1 - pruned.parameters / base.parameters),
      unpruned: average(({ base }) => base.test),
      pruned: spread(alike.map(({ pruned }) => pruned.test)),
      longer: average(({ longer }) => longer.test),
      endings: alike.map(({ ending }) => ending),
    };
  });
  return { tolerance, summaries, measured };
}

const HEADINGS = ['network', 'MACs', 'parameters', 'unpruned', 'pruned', 'trained as long', 'difference', 'ended by'];

export function presentReport({ tolerance, summaries, measured }: ArchitecturesReport): Presentation {
  const rows = summaries.map((one) => [
    one.network,
    `-${percent(one.macsRemoved)}`,
    `-${percent(one.parametersRemoved)}`,
    percent(one.unpruned),
    percent(one.pruned.mean) + deviation(one.pruned.standardDeviation),
    percent(one.longer),
    signed(one.pruned.mean - one.longer),
    [...new Set(one.endings)].join(', '),
  ]);
  const text = [
    `How far networks can be pruned while validation accuracy stays within ${points(tolerance)} points of the unpruned network's, trained for as long`,
    '',
    formatTable(HEADINGS, rows),
    '',
    'Test accuracies (of pixels for unet); the difference is to the unpruned network that was trained for as many epochs.',
  ].join('\n');
  const curves = plot({
    title: 'Validation accuracy lost after each step',
    x: { label: 'share of the MACs removed' },
    y: { label: 'points lost' },
    series: measured.map(({ network, seed, base, steps, alongside }) => ({
      name: `${network}, seed ${seed}`,
      mark: 'line',
      points: [
        [0, 0],
        ...steps.map(
          ({ macs, validation }, step) =>
            [1 - macs / base.macs, 100 * (alongside[step]!.validation - validation)] as const,
        ),
      ],
    })),
  });
  return { text, plots: { steps: curves } };
}
