import { expect, it } from 'vitest';
import { scoresReport } from './scores-report.ts';

it.each([
  [0.07, 100, [6, 7, 8], 1, 'below 7', '7.00'],
  [0.56, 10, [279, 280, 281], 50, 'below 5.6', '5.60'],
])(
  'counts the filters below a threshold of %d of %i classes',
  (threshold, classes, numerators, denominator, title, mean) => {
    const scores = {
      layer: 'conv1',
      filters: 3,
      classes,
      numerators: Int32Array.from(numerators),
      denominator,
      tieBreak: new Float64Array(3),
      classMatrix: new Float32Array(3 * classes),
    };
    const [head, row] = scoresReport([scores], { threshold })
      .split('\n')
      .filter((line) => /Layer|conv1/.test(line));
    expect(head).toContain(title);
    const cells = row!.trim().split(/\s+/);
    expect(cells.slice(-2)).toEqual([mean, '1']);
  },
);

it('spreads scores without a bound from the lowest to the highest of their layer', () => {
  const scores = {
    layer: 'conv1',
    filters: 4,
    classes: 0,
    numerators: Float64Array.of(1.5, 2, 2, 6.5),
    denominator: 1,
    tieBreak: new Float64Array(4),
    classMatrix: new Float32Array(0),
  };
  const row = scoresReport([scores], { threshold: 0.3 }).split('\n').at(-1)!;
  expect(row).toMatch(/^conv1 +4 +\|▄█ {8}▄\| +1\.50 +3\.00 +6\.50$/);
});
