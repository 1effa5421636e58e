import * as Plot from '@observablehq/plot';
import { percent, points } from '../../../terminal/format.ts';
import type { ClassChange } from '../class-changes.ts';
import { type Drawing, drawPlot, type Frame, hints, nameAxis, stopsOf, textRoom } from './frame.ts';

/** Accuracy of each class, from before to after; those that paid stand out by colour, sign and word. */
export function classesPlot(changes: readonly ClassChange[], frame: Frame): Drawing {
  const { theme } = frame;
  const names = changes.map(({ className }) => className);
  const marginLeft = textRoom(names);
  const colour = ({ paid, change }: ClassChange) => (paid ? theme.paid : change > 0 ? theme.gained : theme.muted);
  const place = {
    x: ({ after }: ClassChange) => after,
    y: ({ className }: ClassChange) => className,
    text: ({ className, before, after, change, paid }: ClassChange) =>
      `${className}: ${percent(before)} before, ${percent(after)} after (${points(change, 1)})${paid ? ', paid' : ''}`,
  };
  const svg = drawPlot(
    {
      label: 'Accuracy of each class before and after pruning',
      marginLeft,
      marginRight: 86,
      marginTop: 8,
      marginBottom: 36,
      height: 48 + changes.length * (changes.length > 24 ? 17 : 26),
      x: {
        label: 'accuracy',
        tickFormat: (share: number) => percent(share, 0),
        grid: true,
        nice: true,
        ticks: Math.max(2, Math.round((frame.width - marginLeft - 86) / 75)),
      },
      y: { domain: names, label: null },
      marks: [
        nameAxis(marginLeft),
        Plot.link(changes, {
          x1: 'before',
          x2: 'after',
          y1: 'className',
          y2: 'className',
          stroke: colour,
          strokeWidth: 3,
          strokeLinecap: 'round',
        }),
        Plot.dot(changes, {
          x: 'before',
          y: 'className',
          r: 4.5,
          fill: theme.surface,
          stroke: theme.before,
          strokeWidth: 2,
        }),
        Plot.dot(changes, { x: 'after', y: 'className', r: 5, fill: colour }),
        Plot.text(changes, {
          y: 'className',
          frameAnchor: 'right',
          dx: 84,
          textAnchor: 'end',
          fill: colour,
          fontWeight: 600,
          text: ({ change, paid }: ClassChange) => `${points(change, 1).replace(' points', '')}${paid ? ' paid' : ''}`,
        } as Plot.TextOptions),
        hints(changes, { ...place, along: 'y' }, theme),
      ],
    },
    frame,
  );
  return { svg, stops: stopsOf(svg, changes, place) };
}
