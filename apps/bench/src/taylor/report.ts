import { plot, type Series } from '../plot/plot.ts';
import { mean, rankCorrelation, type Spread, spread } from '../statistics.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';
import { estimateNames, type FilterChanges, referenceName, type TaylorRecord } from './records.ts';

export interface MeasuredNetwork extends TaylorRecord {
  readonly network: string;
  readonly seed: number;
}

/** How well an estimate orders the filters of one layer; over the seeds, and within each over the classes. */
export interface LayerCorrelation {
  readonly network: string;
  readonly estimate: string;
  /** '*' are all layers together. */
  readonly layer: string;
  readonly depth: number;
  /** Spearman's, of the estimate for a class and the size of the change of that class's loss. */
  readonly rankCorrelation: Spread;
}

export interface TaylorReport {
  readonly taus: readonly number[];
  readonly correlations: readonly LayerCorrelation[];
  readonly measured: readonly MeasuredNetwork[];
}

const ALL_LAYERS = '*';

export function buildReport(measured: readonly MeasuredNetwork[], taus: readonly number[]): TaylorReport {
  const networks = [...new Set(measured.map(({ network }) => network))];
  const correlations = networks.flatMap((network) => {
    const alike = measured.filter((one) => one.network === network);
    const depths = new Map(alike[0]!.filters.map(({ layer, depth }) => [layer, depth]));
    return estimateNames(taus).flatMap((estimate) =>
      [ALL_LAYERS, ...depths.keys()].map((layer) => ({
        network,
        estimate,
        layer,
        depth: depths.get(layer) ?? 0,
        rankCorrelation: spread(
          alike.map(({ filters }) =>
            correlationByClass(
              filters.filter((filter) => layer === ALL_LAYERS || filter.layer === layer),
              estimate,
            ),
          ),
        ),
      })),
    );
  });
  return { taus, correlations, measured };
}

/** Mean over the classes. */
export function correlationByClass(filters: readonly FilterChanges[], estimate: string): number {
  return mean(
    filters[0]!.changes.map((_, label) =>
      rankCorrelation(
        filters.map(({ estimates }) => estimates[estimate]![label]!),
        filters.map(({ changes }) => Math.abs(changes[label]!)),
      ),
    ),
  );
}

export function presentReport({ taus, correlations, measured }: TaylorReport): Presentation {
  const networks = [...new Set(correlations.map(({ network }) => network))];
  const names = estimateNames(taus);
  const seeds = [...new Set(measured.map(({ seed }) => seed))];
  const tables = networks.flatMap((network) => {
    const own = correlations.filter((one) => one.network === network);
    const layers = [...new Set(own.map(({ layer }) => layer))];
    const rows = layers.map((layer) => [
      layer === ALL_LAYERS ? 'all layers' : layer,
      ...names.map((name) =>
        own.find((one) => one.layer === layer && one.estimate === name)!.rankCorrelation.mean.toFixed(3),
      ),
    ]);
    return ['', `${network}: rank correlation by layer, from the first to the last`, formatTable(['', ...names], rows)];
  });
  const text = [
    `Taylor estimates against the exact change of each class's loss when a filter is removed, seeds ${seeds.join(', ')}`,
    ...tables,
    '',
    "Spearman's correlation of the estimate and the size of the change, over filters, mean over classes and seeds.",
  ].join('\n');
  const plots = networks.flatMap((network) => {
    const own = correlations.filter((one) => one.network === network);
    const [first] = measured.filter((one) => one.network === network);
    return [
      [`${network}-scatter`, scatter(first!)],
      [`${network}-depth`, byDepth(own, { network, names })],
      [`${network}-tau`, byTau(own, { network, taus })],
    ] as const;
  });
  return { text, plots: Object.fromEntries(plots) };
}

/** Each filter once: means over the classes. */
function scatter({ network, seed, filters }: MeasuredNetwork): string {
  const thirds = [
    { name: 'first third', from: 0, to: 1 / 3 },
    { name: 'middle third', from: 1 / 3, to: 2 / 3 },
    { name: 'last third', from: 2 / 3, to: 1.1 },
  ];
  return plot({
    title: `Estimate and exact change of the loss, ${network}, seed ${seed}`,
    x: { label: 'Taylor estimate behind the activation, mean over classes', scale: 'log' },
    y: { label: 'size of the change, mean over classes', scale: 'log' },
    series: thirds.map(({ name, from, to }) => ({
      name: `${name} of the layers`,
      points: filters
        .filter(({ depth }) => depth >= from && depth < to)
        .map(({ estimates, changes }) => [mean(estimates.taylor!), mean(changes.map(Math.abs))] as const),
    })),
  });
}

function byDepth(
  correlations: readonly LayerCorrelation[],
  { network, names }: { readonly network: string; readonly names: readonly string[] },
): string {
  const series = names.map(
    (estimate): Series => ({
      name: estimate,
      mark: 'line',
      points: correlations
        .filter((one) => one.estimate === estimate && one.layer !== ALL_LAYERS)
        .map(({ depth, rankCorrelation }) => [depth, rankCorrelation.mean]),
    }),
  );
  return plot({
    title: `Rank correlation by depth, ${network}`,
    x: { label: 'place of the layer, from the first to the last' },
    y: { label: 'rank correlation' },
    series,
  });
}

/** Correlation within layers, mean over all of them; tau 0 has no place on a logarithmic axis and is a line of its own. */
function byTau(
  correlations: readonly LayerCorrelation[],
  { network, taus }: { readonly network: string; readonly taus: readonly number[] },
): string {
  const withinLayers = (estimate: string) =>
    mean(
      correlations
        .filter((one) => one.estimate === estimate && one.layer !== ALL_LAYERS)
        .map(({ rankCorrelation }) => rankCorrelation.mean),
    );
  const above = taus.filter((tau) => tau > 0).sort((a, b) => a - b);
  const range = above.length > 0 ? [above[0]!, above.at(-1)!] : [1e-6, 1];
  const level = (name: string, estimate: string): Series => ({
    name,
    mark: 'line',
    points: range.map((tau) => [tau, withinLayers(estimate)]),
  });
  return plot({
    title: `Rank correlation within layers by tau, ${network}`,
    x: { label: 'tau', scale: 'log' },
    y: { label: 'rank correlation' },
    series: [
      ...(above.length > 0
        ? [
            {
              name: 'reference',
              mark: 'line' as const,
              points: above.map((tau) => [tau, withinLayers(referenceName(tau))] as const),
            },
          ]
        : []),
      ...(taus.includes(0) ? [level('reference, tau 0', referenceName(0))] : []),
      level('relative', 'relative'),
      level('taylor', 'taylor'),
    ],
  });
}
