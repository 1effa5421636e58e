import * as Plot from '@observablehq/plot';
import { percent, whole } from '../../../terminal/format.ts';
import type { LayerHistogram } from '../../run-report.ts';
import { type Drawing, drawPlot, type Frame } from './frame.ts';

export interface TitledHistogram {
  readonly title: string;
  readonly histogram: LayerHistogram;
}

interface Bin {
  readonly column: number;
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly share: number;
  readonly text: string;
}

const CELL = { width: 152, height: 132 };

/** Histograms side by side: which share of a layer's filters has which score. */
export function scoresPlot(
  list: readonly TitledHistogram[],
  { classes, threshold }: { classes: number; threshold?: number | undefined },
  frame: Frame,
): Drawing {
  const { theme } = frame;
  const columns = Math.max(1, Math.min(list.length, Math.floor(frame.width / CELL.width)));
  const rows = Math.ceil(list.length / columns);
  const titles = list.map(({ title, histogram }, i) => ({
    column: i % columns,
    row: Math.floor(i / columns),
    text: `${title} · ${whole(histogram.filters)} filters`,
  }));
  const bins = list.flatMap(({ histogram }, i) =>
    binsOf(histogram, { column: i % columns, row: Math.floor(i / columns) }),
  );
  const goes = ({ to, from }: Bin) => threshold !== undefined && (from + to) / 2 < threshold;
  const top = bins.reduce((most, { share }) => Math.max(most, share), 0);
  const svg = drawPlot(
    {
      label: 'Histograms of the scores of filters',
      height: rows * CELL.height + 44,
      marginLeft: 44,
      marginTop: 22,
      marginBottom: 36,
      fx: { axis: null, padding: 0.08, domain: Array.from({ length: columns }, (_, i) => i) },
      fy: { axis: null, padding: 0.3, domain: Array.from({ length: rows }, (_, i) => i) },
      x: {
        label: classes > 0 ? 'number of classes that a filter matters to' : 'score',
        labelAnchor: 'right',
        ticks: 5,
      },
      y: { label: null, tickFormat: (share: number) => percent(share, 0), ticks: 3, grid: true, domain: [0, top] },
      marks: [
        Plot.rectY(bins, {
          fx: 'column',
          fy: 'row',
          x1: 'from',
          x2: 'to',
          y: 'share',
          insetLeft: 1,
          insetRight: 1,
          rx: 1.5,
          fill: (bin: Bin) => (goes(bin) ? theme.paid : theme.after),
        }),
        threshold === undefined ? [] : Plot.ruleX([threshold], { stroke: theme.paid, strokeDasharray: '3 3' }),
        Plot.text(titles, {
          fx: 'column',
          fy: 'row',
          text: 'text',
          frameAnchor: 'top-left',
          dy: -14,
          textAnchor: 'start',
          fontWeight: 600,
        }),
        Plot.tip(
          bins,
          Plot.pointerX({
            fx: 'column',
            fy: 'row',
            x: (bin: Bin) => (bin.from + bin.to) / 2,
            y: 'share',
            title: 'text',
            fill: theme.surface,
            stroke: theme.muted,
          } as Plot.TipOptions),
        ),
      ],
    },
    frame,
  );
  return { svg };
}

function binsOf(histogram: LayerHistogram, place: { column: number; row: number }): Bin[] {
  const { counts, low, high, filters, layer } = histogram;
  const width = counts.length > 1 && high > low ? (high - low) / (counts.length - 1) : 1;
  return counts.map((count, i) => {
    const centre = low + i * width;
    const score = Number(centre.toPrecision(3));
    return {
      ...place,
      from: centre - width / 2,
      to: centre + width / 2,
      share: count / filters,
      text: `${layer}: ${whole(count)} of ${whole(filters)} filters\nwith a score near ${score}`,
    };
  });
}
