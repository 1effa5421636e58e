// Plots as SVG text: numbers in, one picture out.

export type Point = readonly [x: number, y: number];

export interface Axis {
  readonly label: string;
  /** Default 'linear'. Points that are not greater than 0 are left out of a 'log' axis. */
  readonly scale?: 'linear' | 'log';
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** Default 'points'; 'line' joins them in the order given. */
  readonly mark?: 'points' | 'line';
}

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 440;
const FRAME = { left: 72, top: 40, right: 190, bottom: 52 };
/** Okabe and Ito's colours, which most people can tell apart; then darker ones of Tol's. */
const COLOURS = [
  ...['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#555555', '#000000'],
  ...['#882255', '#999933', '#332288', '#44aa99', '#aa4499'],
];

/** @throws Error when no series has a point that its axes can show. */
export function plot({ title, x, y, series }: Plot): string {
  const shown = series.map((one) => ({ ...one, points: one.points.filter((point) => isShown(point, { x, y })) }));
  const points = shown.flatMap((one) => one.points);
  if (points.length === 0) throw new Error(`Expected points to plot in '${title}', but got none that its axes show.`);
  const across = toScale(
    x,
    points.map(([value]) => value),
    [FRAME.left, WIDTH - FRAME.right],
  );
  const up = toScale(
    y,
    points.map(([, value]) => value),
    [HEIGHT - FRAME.bottom, FRAME.top],
  );
  const place = ([px, py]: Point) => [coordinate(across.place(px)), coordinate(up.place(py))] as const;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(title, { x: FRAME.left, y: 22, attributes: 'font-size="14" font-weight="bold"' }),
    ...across.ticks.flatMap((tick) => {
      const at = coordinate(across.place(tick));
      return [
        `<path d="M${at} ${FRAME.top}V${HEIGHT - FRAME.bottom}" stroke="#ddd"/>`,
        text(tickLabel(tick), { x: at, y: HEIGHT - FRAME.bottom + 18, attributes: 'text-anchor="middle"' }),
      ];
    }),
    ...up.ticks.flatMap((tick) => {
      const at = coordinate(up.place(tick));
      return [
        `<path d="M${FRAME.left} ${at}H${WIDTH - FRAME.right}" stroke="#ddd"/>`,
        text(tickLabel(tick), { x: FRAME.left - 8, y: at + 4, attributes: 'text-anchor="end"' }),
      ];
    }),
    text(x.label, { x: (FRAME.left + WIDTH - FRAME.right) / 2, y: HEIGHT - 12, attributes: 'text-anchor="middle"' }),
    `<g transform="translate(18 ${(FRAME.top + HEIGHT - FRAME.bottom) / 2}) rotate(-90)">${text(y.label, { x: 0, y: 0, attributes: 'text-anchor="middle"' })}</g>`,
    ...shown.flatMap(({ name, points, mark = 'points' }, index) => {
      const colour = COLOURS[index % COLOURS.length]!;
      const legend = FRAME.top + 10 + 18 * index;
      const places = points.map(place);
      return [
        ...(mark === 'line'
          ? [`<polyline points="${places.map((at) => at.join(',')).join(' ')}" fill="none" stroke="${colour}"/>`]
          : []),
        `<g fill="${colour}" fill-opacity="0.7">${places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3"/>`).join('')}</g>`,
        `<circle cx="${WIDTH - FRAME.right + 16}" cy="${legend - 4}" r="4" fill="${colour}"/>`,
        text(name, { x: WIDTH - FRAME.right + 26, y: legend }),
      ];
    }),
    '</svg>',
    '',
  ].join('\n');
}

function isShown([x, y]: Point, axes: { readonly x: Axis; readonly y: Axis }): boolean {
  const fits = (value: number, { scale }: Axis) => Number.isFinite(value) && (scale !== 'log' || value > 0);
  return fits(x, axes.x) && fits(y, axes.y);
}

interface Scale {
  readonly ticks: readonly number[];
  place(value: number): number;
}

function toScale({ scale }: Axis, values: readonly number[], [from, to]: readonly [number, number]): Scale {
  const measure = scale === 'log' ? Math.log10 : (value: number) => value;
  const smallest = values.reduce((a, b) => Math.min(a, b));
  const largest = values.reduce((a, b) => Math.max(a, b));
  const ticks = scale === 'log' ? logTicks(smallest, largest) : linearTicks(smallest, largest);
  const [low, high] = [measure(ticks[0]!), measure(ticks.at(-1)!)];
  return { ticks, place: (value) => from + ((measure(value) - low) / (high - low)) * (to - from) };
}

/** Round numbers that take in all values. */
function linearTicks(smallest: number, largest: number): number[] {
  const span = largest - smallest || Math.abs(largest) || 1;
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  const first = Math.floor(smallest / step);
  const last = Math.max(first + 1, Math.ceil(largest / step));
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Powers of ten; no more than eight of them. */
function logTicks(smallest: number, largest: number): number[] {
  const first = Math.floor(Math.log10(smallest));
  const last = Math.max(first + 1, Math.ceil(Math.log10(largest)));
  const stride = Math.ceil((last - first) / 7);
  const count = Math.ceil((last - first) / stride);
  return Array.from({ length: count + 1 }, (_, i) => 10 ** (first + stride * i));
}

function coordinate(value: number): number {
  return Math.round(10 * value) / 10;
}

function tickLabel(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e6 || size < 1e-3) ? value.toExponential(0) : String(Number(value.toPrecision(6)));
}

function text(words: string, { x, y, attributes = '' }: { x: number; y: number; attributes?: string }): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
