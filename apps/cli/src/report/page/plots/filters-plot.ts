import * as Plot from '@observablehq/plot';
import { percent } from '../../../terminal/format.ts';
import type { LayerWidths } from '../../run-report.ts';
import { type Drawing, drawPlot, type Frame, hints, nameAxis, stopsOf, textRoom } from './frame.ts';

/** Filters of each layer: what is left, in front of what was there. */
export function filtersPlot(layers: readonly LayerWidths[], frame: Frame): Drawing {
  const { theme } = frame;
  const names = layers.map(({ layer }) => layer);
  const marginLeft = textRoom(names);
  const place = {
    x: ({ before }: LayerWidths) => before / 2,
    y: ({ layer }: LayerWidths) => layer,
    text: ({ layer, before, after }: LayerWidths) =>
      `${layer}: ${after} of ${before} filters left (${percent(after / before, 0)})`,
  };
  const svg = drawPlot(
    {
      label: 'Filters of each layer before and after pruning',
      marginLeft,
      marginRight: 92,
      marginTop: 8,
      marginBottom: 36,
      height: 44 + layers.length * (layers.length > 24 ? 17 : 26),
      x: { label: 'filters', grid: true, nice: true, tickFormat: 'd' },
      y: { domain: names, padding: 0.22, label: null },
      marks: [
        nameAxis(marginLeft),
        Plot.barX(layers, { x: 'before', y: 'layer', fill: theme.track, rx: 2 }),
        Plot.barX(layers, { x: 'after', y: 'layer', fill: theme.after, rx: 2 }),
        Plot.text(layers, {
          x: 'before',
          y: 'layer',
          dx: 6,
          textAnchor: 'start',
          fill: theme.muted,
          text: ({ before, after }: LayerWidths) => `${after} of ${before}`,
        }),
        hints(layers, { ...place, along: 'y' }, theme),
      ],
    },
    frame,
  );
  return { svg, stops: stopsOf(svg, layers, place) };
}
