import * as Plot from '@observablehq/plot';
import { percent } from '../../../terminal/format.ts';
import type { Curve } from '../../run-report.ts';
import { type Drawing, drawPlot, type Frame, hints, stopsOf } from './frame.ts';

export type Measure = 'total' | 'crossEntropy' | 'distillation' | 'learningRate' | 'accuracy';

export const MEASURES: Readonly<Record<Measure, string>> = {
  total: 'loss',
  crossEntropy: 'cross entropy',
  distillation: 'distance from the teacher',
  learningRate: 'learning rate',
  accuracy: 'training accuracy',
};

export interface CurvePoint {
  readonly curve: string;
  /** Epochs since the start of the run. */
  readonly epoch: number;
  readonly value: number;
}

/** A training as it is called in the report. */
export function curveName({ phase, iteration }: Curve): string {
  return iteration === undefined ? phase : `${phase} ${iteration}`;
}

/** Means over stretches of steps where steps were recorded, else over epochs; one training after the other. */
export function curvePoints(curves: readonly Curve[], measure: Measure): CurvePoint[][] {
  let start = 0;
  return curves.map((curve) => {
    const name = curveName(curve);
    const from = start;
    start += curve.epochs;
    const epochs = curve.steps.epoch;
    if (measure !== 'accuracy' && epochs.length > 0) {
      return curve.steps[measure].map((value, i) => ({ curve: name, epoch: from + epochs[i]!, value }));
    }
    if (measure === 'distillation' || measure === 'learningRate') return [];
    const of = measure === 'total' ? 'loss' : measure;
    return curve.means.map((mean) => ({ curve: name, epoch: from + mean.epoch + 1, value: mean[of] }));
  });
}

/** How the trainings of a run went, in the order in which they happened. */
export function curvesPlot(curves: readonly Curve[], measure: Measure, frame: Frame): Drawing {
  const { theme } = frame;
  const lines = curvePoints(curves, measure);
  const points = lines.flat();
  const format = (value: number) => (measure === 'accuracy' ? percent(value) : `${Number(value.toPrecision(4))}`);
  const place = {
    x: ({ epoch }: CurvePoint) => epoch,
    y: ({ value }: CurvePoint) => value,
    text: ({ curve, epoch, value }: CurvePoint) =>
      `${curve}, epoch ${epoch.toFixed(1)}\n${MEASURES[measure]} ${format(value)}`,
  };
  const total = curves.reduce((sum, { epochs }) => sum + epochs, 0);
  const starts = curves.map((_, i) => curves.slice(0, i).reduce((sum, { epochs }) => sum + epochs, 0));
  const colour = (index: number) => theme.series[phaseIndex(curves[index]!) % theme.series.length]!;
  const svg = drawPlot(
    {
      label: `${MEASURES[measure]} during the run`,
      height: 290,
      marginLeft: 52,
      marginBottom: 40,
      marginTop: 26,
      x: {
        label: 'epochs since the start of the run',
        domain: [0, Math.max(total, 1)],
        ticks: Math.max(3, Math.round(frame.width / 80)),
      },
      y: {
        label: MEASURES[measure],
        grid: true,
        nice: true,
        zero: measure === 'learningRate',
        ticks: 5,
        tickFormat: format,
      },
      marks: [
        Plot.ruleX(starts.slice(1), { stroke: theme.grid }),
        lines.map((line, i) => [
          Plot.line(line, { x: place.x, y: place.y, stroke: colour(i), strokeWidth: 1.6 }),
          // A single mean makes no line.
          Plot.dot(line.length < 40 ? line : [], { x: place.x, y: place.y, fill: colour(i), r: 2.5 }),
        ]),
        hints(points, place, theme),
      ],
    },
    frame,
  );
  return { svg, stops: stopsOf(svg, points, place) };
}

/** Tunings share a colour. */
export function phaseIndex({ phase }: Curve): number {
  return Math.max(0, ['train', 'fine-tune', 'final-tune'].indexOf(phase));
}
