import * as Plot from '@observablehq/plot';
import type { Theme } from '../theme.ts';

/** Where a plot is drawn: in a page, or with a document of its own in a file. */
export interface Frame {
  readonly width: number;
  readonly theme: Theme;
  readonly document?: Document;
}

/** A place that the keyboard can go to, with what is shown there. */
export interface Stop {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface Drawing {
  readonly svg: SVGSVGElement;
  /** In pixels, in reading order. */
  readonly stops?: readonly Stop[];
  /** How many stops make a row, where up and down have a meaning. */
  readonly stopsPerRow?: number;
}

export type PlotElement = SVGSVGElement & Plot.Plot;

/** A plot in the colours and letters of the report. */
export function drawPlot(options: Plot.PlotOptions & { readonly label: string }, frame: Frame): PlotElement {
  const { label, ...rest } = options;
  const { width, theme, document } = frame;
  const svg = Plot.plot({
    width,
    marginRight: 16,
    ...(document && { document }),
    ...rest,
    ariaLabel: label,
  }) as unknown as PlotElement;
  svg.setAttribute('role', 'img');
  svg.setAttribute('color', theme.ink);
  svg.setAttribute('font-size', '12');
  return svg;
}

/** Room for the longest of these texts at 12 pixels, within limits. */
export function textRoom(texts: readonly string[], { most = 170 }: { most?: number } = {}): number {
  return Math.min(most, 18 + 6.8 * texts.reduce((length, text) => Math.max(length, text.length), 0));
}

/** Names on a band scale, shortened in the middle where they are longer than the margin. */
export function nameAxis(margin: number, options: Plot.AxisYOptions = {}): Plot.Markish {
  return Plot.axisY({
    label: null,
    tickSize: 0,
    lineWidth: (margin - 14) / 12,
    textOverflow: 'ellipsis-middle',
    ...options,
  });
}

/**
 * Places that the pointer finds, with their text in a box.
 *
 * @param options.along Where rows or columns are pointed at, not points: the direction in which they follow each other.
 */
export function hints<Datum>(
  data: readonly Datum[],
  { x, y, text, along }: Place<Datum> & { along?: 'x' | 'y' },
  theme: Theme,
): Plot.Markish {
  const pointer = along === 'x' ? Plot.pointerX : along === 'y' ? Plot.pointerY : Plot.pointer;
  const maxRadius = along ? 2000 : 60;
  const style = { fontSize: 12, fill: theme.surface, stroke: theme.muted, textPadding: 10 };
  return Plot.tip(data, pointer({ x, y, title: text, maxRadius, ...style } as Plot.TipOptions));
}

/** Where something is on the scales of a plot, and what there is to say about it. */
export interface Place<Datum> {
  readonly x: (datum: Datum) => unknown;
  readonly y: (datum: Datum) => unknown;
  readonly text: (datum: Datum) => string;
}

/** The same places for the keyboard. */
export function stopsOf<Datum>(svg: PlotElement, data: readonly Datum[], { x, y, text }: Place<Datum>): Stop[] {
  const place = (name: 'x' | 'y', value: unknown) => {
    const scale = svg.scale(name)!;
    return scale.apply(value) + (scale.bandwidth ?? 0) / 2;
  };
  return data.map((datum) => ({ x: place('x', x(datum)), y: place('y', y(datum)), text: text(datum) }));
}
