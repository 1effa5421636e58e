import { mebibytes, short } from '../format.ts';
import { plot } from '../plot/plot.ts';
import { fitExponent, median } from '../statistics.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';
import type { Axis, Work } from './axes.ts';
import type { ScalingRecord } from './records.ts';

export interface MeasuredPoint extends ScalingRecord {
  readonly axis: Axis;
  readonly work: Work;
  /** Along the axis. */
  readonly size: number;
}

/** k of time or memory = c x^k; absent where x does not change. */
export interface Growth {
  readonly axis: Axis;
  readonly work: Work;
  readonly time: number;
  readonly memory?: number;
  /** Of time by filters x images (for surgery filters alone), and by MACs x images (for surgery parameters). */
  readonly timeByFilters?: number;
  readonly timeByWork?: number;
}

export interface ScalingReport {
  readonly growths: readonly Growth[];
  readonly measured: readonly MeasuredPoint[];
}

/** What a fit may exceed 1 by before it counts as worse than linear. */
export const SLACK = 0.1;

export function buildReport(measured: readonly MeasuredPoint[]): ScalingReport {
  const lines = new Map(measured.map(({ axis, work }) => [`${axis} ${work}`, { axis, work }]));
  const growths = [...lines.values()].map(({ axis, work }): Growth => {
    const points = measured.filter((point) => point.axis === axis && point.work === work);
    const timeBy = (x: (point: MeasuredPoint) => number) =>
      exponentOf(points, x, ({ milliseconds }) => median(milliseconds));
    const time = timeBy(({ size }) => size);
    if (time === undefined) {
      throw new Error(`Expected at least two sizes along the axis '${axis}' to see growth, but got one.`);
    }
    const memory = exponentOf(
      points,
      ({ size }) => size,
      ({ extraBytes }) => extraBytes,
    );
    const timeByFilters = timeBy(({ filters, images }) => filters * Math.max(1, images));
    const timeByWork = timeBy(({ macs, images, parameters }) => (images > 0 ? macs * images : parameters));
    return {
      axis,
      work,
      time,
      ...(memory !== undefined && { memory }),
      ...(timeByFilters !== undefined && { timeByFilters }),
      ...(timeByWork !== undefined && { timeByWork }),
    };
  });
  return { growths, measured };
}

function exponentOf(
  points: readonly MeasuredPoint[],
  x: (point: MeasuredPoint) => number,
  y: (point: MeasuredPoint) => number,
): number | undefined {
  const measurable = points.map((point) => [x(point), y(point)] as const).filter(([, value]) => value > 0);
  return new Set(measurable.map(([size]) => size)).size < 2 ? undefined : fitExponent(measurable);
}

const HEADINGS = ['axis', 'work', 'size', 'filters', 'images', 'time', 'memory MiB'];
const GROWTH_HEADINGS = ['axis', 'work', 'time', 'memory', 'time by filters x images', 'time by MACs x images'];

export function presentReport({ growths, measured }: ScalingReport): Presentation {
  const rows = measured.map(({ axis, work, size, filters, images, milliseconds, extraBytes }) => [
    axis,
    work,
    String(size),
    String(filters),
    images > 0 ? String(images) : '-',
    `${short(median(milliseconds))} ms`,
    mebibytes(extraBytes),
  ]);
  const exponent = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(2));
  const growthRows = growths.map(({ axis, work, time, memory, timeByFilters, timeByWork }) => [
    axis,
    work,
    exponent(time),
    exponent(memory),
    exponent(timeByFilters) + ((timeByFilters ?? 0) > 1 + SLACK ? ' worse than linear' : ''),
    exponent(timeByWork) + ((timeByWork ?? 0) > 1 + SLACK ? ' worse than linear' : ''),
  ]);
  const text = [
    'Time and memory of scoring and surgery, medians',
    '',
    formatTable(HEADINGS, rows),
    '',
    'Exponents k of time = c x^k, and of memory',
    formatTable(GROWTH_HEADINGS, growthRows),
    '',
    'Memory is what the process took beyond the network and the images. Surgery sees no images: by filters, and by parameters.',
  ].join('\n');
  const axes = [...new Set(measured.map(({ axis }) => axis))];
  const plots = axes.flatMap((axis) => {
    const works = [...new Set(measured.map(({ work }) => work))];
    const series = (value: (point: MeasuredPoint) => number) =>
      works.map((work) => ({
        name: work,
        mark: 'line' as const,
        points: measured
          .filter((point) => point.axis === axis && point.work === work)
          .map((point) => [point.size, value(point)] as const),
      }));
    const x = { label: axis, scale: 'log' } as const;
    const y = { label: 'milliseconds', scale: 'log' } as const;
    const title = `Time by ${axis}`;
    return [[`time-${axis}`, plot({ title, x, y, series: series(({ milliseconds }) => median(milliseconds)) })]];
  });
  return { text, plots: Object.fromEntries(plots) };
}
