import * as Plot from '@observablehq/plot';
import { count, percent } from '../../../terminal/format.ts';
import type { RunReport } from '../../run-report.ts';
import { type Drawing, drawPlot, type Frame, hints, stopsOf } from './frame.ts';

export interface ParetoPoint {
  readonly run: string;
  readonly label: string;
  /** Share of the unpruned network's. */
  readonly macsLeft: number;
  readonly macs: number;
  readonly accuracy: number;
  readonly kept: boolean;
}

/** The unpruned network, then the network after each iteration, on the validation images. */
export function paretoPoints({ name, before, iterations }: RunReport): ParetoPoint[] {
  if (!before) return [];
  const dense = before.macs;
  return [
    { run: name, label: 'unpruned', macsLeft: 1, macs: dense, accuracy: before.validation.accuracy, kept: true },
    ...iterations.map(({ iteration, macs, accuracy, kept }) => ({
      run: name,
      label: `iteration ${iteration}`,
      macsLeft: macs / dense,
      macs,
      accuracy,
      kept,
    })),
  ];
}

/** Accuracy over what the network costs: up and to the left is better. */
export function paretoPlot(
  runs: readonly (readonly ParetoPoint[])[],
  guards: RunReport['guards'],
  frame: Frame,
): Drawing {
  const { theme } = frame;
  const points = runs.flat();
  const dense = points.find(({ label }) => label === 'unpruned')?.macs;
  const names = runs.map(([first]) => first?.run ?? '');
  const colourOf = ({ run }: ParetoPoint) =>
    runs.length > 1 ? theme.series[names.indexOf(run) % theme.series.length]! : theme.after;
  const place = {
    x: ({ macsLeft }: ParetoPoint) => macsLeft,
    y: ({ accuracy }: ParetoPoint) => accuracy,
    text: ({ run, label, macs, macsLeft, accuracy, kept }: ParetoPoint) =>
      `${runs.length > 1 ? `${run}, ` : ''}${label}${kept ? '' : ' (not kept)'}\n${percent(accuracy, 2)} of the validation images right\n${count(macs)} MACs, ${percent(macsLeft)} of the unpruned`,
  };
  const svg = drawPlot(
    {
      label: 'Validation accuracy over multiply-accumulates left',
      height: 300,
      marginLeft: 52,
      marginBottom: 42,
      marginTop: 26,
      inset: 14,
      marginRight: 30,
      x: {
        label: 'MACs left',
        tickFormat: (share: number) => percent(share, 0),
        nice: true,
        grid: true,
        ticks: Math.max(3, Math.round(frame.width / 90)),
      },
      y: {
        label: 'validation accuracy',
        tickFormat: (share: number) => percent(share, 1),
        nice: true,
        grid: true,
        ticks: 5,
      },
      marks: [
        guardRules(guardsInView(guards, points), { dense, stroke: theme.paid }),
        runs.map((run) =>
          Plot.line(run, {
            ...place,
            stroke: run[0] ? colourOf(run[0]) : theme.after,
            strokeWidth: 1.5,
            strokeOpacity: 0.7,
          }),
        ),
        Plot.dot(points, {
          x: place.x,
          y: place.y,
          r: 5,
          fill: (point: ParetoPoint) => (point.kept ? colourOf(point) : theme.surface),
          stroke: colourOf,
          strokeWidth: 2,
          symbol: ({ label }: ParetoPoint) => (label === 'unpruned' ? 'square' : 'circle'),
        }),
        runs.length > 1
          ? []
          : Plot.text(withRoomForLabels(points, frame), {
              x: place.x,
              y: place.y,
              text: shortLabel,
              dy: -14,
              fill: theme.muted,
              stroke: theme.surface,
              strokeWidth: 4,
            }),
        hints(points, place, theme),
      ],
      symbol: { type: 'identity' } as Plot.ScaleOptions,
    },
    frame,
  );
  return { svg, stops: stopsOf(svg, points, place) };
}

/** Without an accuracy so far below that all that happened would be squeezed together above it. */
export function guardsInView(guards: RunReport['guards'], points: readonly ParetoPoint[]): RunReport['guards'] {
  const accuracies = points.map(({ accuracy }) => accuracy);
  const [low, high] = [Math.min(...accuracies), Math.max(...accuracies)];
  const { accuracyAtLeast, ...others } = guards;
  const isFar = accuracyAtLeast === undefined || accuracyAtLeast < low - 2 * Math.max(0.05, high - low);
  return isFar ? others : guards;
}

/** The ends of the path, and of the others those whose labels would not lie on each other. */
function withRoomForLabels(points: readonly ParetoPoint[], { width }: Frame): ParetoPoint[] {
  const shares = points.map(({ macsLeft }) => macsLeft);
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const pixels = ({ macsLeft }: ParetoPoint) => (high > low ? ((macsLeft - low) / (high - low)) * (width - 110) : 0);
  const room = (point: ParetoPoint) => 4 + 3.5 * shortLabel(point).length;
  const labelled: ParetoPoint[] = [];
  for (const point of [points.at(0), points.at(-1), ...points]) {
    if (!point) continue;
    const isFree = labelled.every((other) => Math.abs(pixels(other) - pixels(point)) >= room(other) + room(point));
    if (isFree) labelled.push(point);
  }
  return labelled;
}

function shortLabel({ label }: ParetoPoint): string {
  return label.replace('iteration ', '');
}

function guardRules(
  { accuracyAtLeast, macsAtMost }: RunReport['guards'],
  { dense, stroke }: { dense: number | undefined; stroke: string },
): Plot.Markish[] {
  const dashed = { stroke, strokeDasharray: '4 4', strokeWidth: 1.5 };
  return [
    ...(accuracyAtLeast === undefined ? [] : [Plot.ruleY([accuracyAtLeast], dashed)]),
    ...(macsAtMost === undefined || !dense ? [] : [Plot.ruleX([macsAtMost / dense], dashed)]),
  ];
}
