import * as Plot from '@observablehq/plot';
import { percent } from '../../../terminal/format.ts';
import { type Drawing, drawPlot, type Frame, hints, stopsOf } from './frame.ts';
import type { ParetoPoint } from './pareto-plot.ts';

interface Step {
  readonly index: number;
  readonly point: ParetoPoint;
}

/** What is left of the multiply-accumulates, one bar an iteration. */
export function macsOverIterations(points: readonly ParetoPoint[], frame: Frame): Drawing {
  const { theme } = frame;
  const steps = points.map((point, index) => ({ index, point }));
  const place = {
    x: ({ index }: Step) => index,
    y: ({ point }: Step) => point.macsLeft,
    text: ({ point }: Step) => `${point.label}: ${percent(point.macsLeft)} of the MACs left`,
  };
  const svg = drawPlot(
    {
      ...axes(steps, frame, 'Multiply-accumulates left after each iteration'),
      height: 130,
      y: { label: 'MACs left', domain: [0, 1], tickFormat: (share: number) => percent(share, 0), grid: true, ticks: 3 },
      marks: [
        Plot.rectY(steps, {
          x1: ({ index }: Step) => index - 0.3,
          x2: ({ index }: Step) => index + 0.3,
          y: place.y,
          rx: 2,
          fill: ({ point }: Step) => (point.label === 'unpruned' ? theme.before : theme.after),
          fillOpacity: ({ point }: Step) => (point.kept ? 1 : 0.35),
        }),
        hints(steps, { ...place, along: 'x' }, theme),
      ],
    },
    frame,
  );
  return { svg, stops: stopsOf(svg, steps, place) };
}

/** The validation accuracy after each iteration. */
export function accuracyOverIterations(points: readonly ParetoPoint[], frame: Frame): Drawing {
  const { theme } = frame;
  const steps = points.map((point, index) => ({ index, point }));
  const place = {
    x: ({ index }: Step) => index,
    y: ({ point }: Step) => point.accuracy,
    text: ({ point }: Step) => `${point.label}: ${percent(point.accuracy, 2)}${point.kept ? '' : ', not kept'}`,
  };
  const svg = drawPlot(
    {
      ...axes(steps, frame, 'Validation accuracy after each iteration'),
      height: 170,
      y: {
        label: 'validation accuracy',
        nice: true,
        tickFormat: (share: number) => percent(share, 1),
        grid: true,
        ticks: 4,
      },
      marks: [
        Plot.line(steps, { x: place.x, y: place.y, stroke: theme.after, strokeWidth: 1.5 }),
        Plot.dot(steps, {
          x: place.x,
          y: place.y,
          r: 4.5,
          strokeWidth: 2,
          stroke: theme.after,
          fill: ({ point }: Step) => (point.kept ? theme.after : theme.surface),
        }),
        hints(steps, { ...place, along: 'x' }, theme),
      ],
    },
    frame,
  );
  return { svg, stops: stopsOf(svg, steps, place) };
}

function axes(steps: readonly Step[], frame: Frame, label: string) {
  const every = Math.max(1, Math.ceil((steps.length * 34) / frame.width));
  // 'unpruned' takes more room than a number.
  const afterFirst = (52 * steps.length) / frame.width;
  return {
    label,
    marginLeft: 52,
    marginBottom: 34,
    marginTop: 24,
    x: {
      domain: [-0.5, Math.max(steps.length - 0.5, 0.5)],
      ticks: steps
        .map(({ index }) => index)
        .filter((index) => index === 0 || (index % every === 0 && index >= afterFirst)),
      tickFormat: (index: number) =>
        index === 0 ? 'unpruned' : (steps[index]?.point.label.replace('iteration ', '') ?? ''),
      label: 'iteration',
      tickSize: 0,
    },
  };
}
