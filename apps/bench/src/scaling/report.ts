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
  /** Of the MACs x images (parameters) themselves by filters x images: what a forward pass (a copy of the weights) grows by. */
  readonly workByFilters?: number;
}

export interface ScalingReport {
  readonly growths: readonly Growth[];
  readonly measured: readonly MeasuredPoint[];
}

/** What a fit may exceed its limit by before it counts as worse than linear. */
export const SLACK = 0.1;

/**
 * Whether time grows faster than linearly in filters x images and in what one filter costs in one image. Of wider networks each filter
 * reads more channels: a forward pass alone is then no longer linear in filters, and no score of its gradients can be.
 */
export function isWorseThanLinear({ timeByFilters = 0, timeByWork = 0, workByFilters = 1 }: Growth): boolean {
  return timeByWork > 1 + SLACK || timeByFilters > Math.max(1, workByFilters) + SLACK;
}

function verdict(growth: Growth): string {
  if (isWorseThanLinear(growth)) return 'worse than linear';
  return growth.time > 1 + SLACK ? 'at most linear in MACs x images' : 'at most linear';
}

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
    const filtersOf = ({ filters, images }: MeasuredPoint) => filters * Math.max(1, images);
    const workOf = ({ macs, images, parameters }: MeasuredPoint) => (images > 0 ? macs * images : parameters);
    const timeByFilters = timeBy(filtersOf);
    const timeByWork = timeBy(workOf);
    const workByFilters = exponentOf(points, filtersOf, workOf);
    return {
      axis,
      work,
      time,
      ...(memory !== undefined && { memory }),
      ...(timeByFilters !== undefined && { timeByFilters }),
      ...(timeByWork !== undefined && { timeByWork }),
      ...(workByFilters !== undefined && { workByFilters }),
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
const GROWTH_HEADINGS = [
  'axis',
  'work',
  'time',
  'memory',
  'time by filters x images',
  'MACs x images by filters x images',
  'time by MACs x images',
  '',
];

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
  const growthRows = growths.map((growth) => [
    growth.axis,
    growth.work,
    exponent(growth.time),
    exponent(growth.memory),
    exponent(growth.timeByFilters),
    exponent(growth.workByFilters),
    exponent(growth.timeByWork),
    verdict(growth),
  ]);
  const text = [
    'Processor time and memory of scoring and surgery, medians',
    '',
    formatTable(HEADINGS, rows),
    '',
    'Exponents k of time = c x^k, and of memory',
    formatTable(GROWTH_HEADINGS, growthRows),
    '',
    'Memory is what the process took beyond the network and the images. Surgery sees no images: by filters, and by parameters. Linear: in filters',
    'x images, and where one filter costs more in one image as the network grows, in MACs x images.',
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
    const draw = (title: string, label: string, value: (point: MeasuredPoint) => number) =>
      plot({ title, x: { label: axis, scale: 'log' }, y: { label, scale: 'log' }, series: series(value) });
    const time = draw(`Processor time by ${axis}`, 'milliseconds', ({ milliseconds }) => median(milliseconds));
    const memory = draw(`Memory by ${axis}`, 'MiB', ({ extraBytes }) => Math.max(1, extraBytes / 2 ** 20));
    return [
      [`time-${axis}`, time],
      [`memory-${axis}`, memory],
    ];
  });
  return { text, plots: Object.fromEntries(plots) };
}
