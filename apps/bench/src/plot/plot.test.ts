import { expect, it } from 'vitest';
import { type Plot, plot } from './plot.ts';

const circles = (svg: string) =>
  [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="3"/g)].map(([, x, y]) => [Number(x), Number(y)]);
const of = (points: [number, number][], axes: Partial<Plot> = {}) =>
  plot({ title: 'a < b', x: { label: 'x' }, y: { label: 'y' }, series: [{ name: 'one & all', points }], ...axes });

it('places points between the ticks of a linear axis', () => {
  // The frame reaches from 72 to 530 and, upside down, from 388 to 40.
  expect(
    circles(
      of([
        [0, 0],
        [5, 10],
        [10, 20],
      ]),
    ),
  ).toEqual([
    [72, 388],
    [301, 214],
    [530, 40],
  ]);
});

it('places points by their logarithm, and leaves out those that have none', () => {
  const log = { x: { label: 'x', scale: 'log' } } as const;
  expect(
    circles(
      of(
        [
          [0, 1],
          [1, 0],
          [10, 1],
          [100, 2],
        ],
        log,
      ),
    ),
  ).toEqual([
    [72, 388],
    [301, 214],
    [530, 40],
  ]);
  expect(() => of([[0, 1]], log)).toThrow("Expected points to plot in 'a < b'");
});

it('shows a single point, and a line', () => {
  expect(circles(of([[3, 3]]))).toHaveLength(1);
  const svg = of([[1, 1]], {
    series: [
      {
        name: 'line',
        mark: 'line',
        points: [
          [0, 0],
          [1, 1],
        ],
      },
    ],
  });
  expect(svg).toContain('<polyline points="72,388 530,40"');
});

it('is XML whatever the words', () => {
  const svg = of([[1, 2]]);
  expect(svg).toContain('>a &lt; b</text>');
  expect(svg).toContain('>one &amp; all</text>');
  expect(svg.match(/<g/g)!.length).toBe(svg.match(/<\/g>/g)!.length);
});
