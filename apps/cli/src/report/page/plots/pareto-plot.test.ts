import { parseHTML } from 'linkedom';
import { expect, it } from 'vitest';
import { THEMES } from '../theme.ts';
import { guardsInView, type ParetoPoint, paretoPlot } from './pareto-plot.ts';

const { document } = parseHTML('<!doctype html><html><body></body></html>');
const frame = { width: 500, theme: THEMES.light, document };

/** A path from the unpruned network down to a tenth of its MACs and a few points less. */
const path = (iterations: number): ParetoPoint[] =>
  Array.from({ length: iterations + 1 }, (_, i) => ({
    run: 'run',
    label: i === 0 ? 'unpruned' : `iteration ${i}`,
    macsLeft: 1 - (0.9 * i) / iterations,
    macs: 1000 - (900 * i) / iterations,
    accuracy: 0.9 - (0.04 * i) / iterations,
    kept: true,
  }));

function labelsOf(points: ParetoPoint[]): string[] {
  const { svg } = paretoPlot([points], {}, frame);
  const labels = svg.querySelectorAll('[aria-label="text"] text');
  return Array.from(labels, (label) => label.textContent ?? '');
}

it('labels every iteration of a few, and of many those that have room, the first and last among them', () => {
  expect(labelsOf(path(4))).toEqual(['unpruned', '4', '1', '2', '3']);
  const labels = labelsOf(path(60));
  expect(labels).toEqual(expect.arrayContaining(['unpruned', '60']));
  expect(labels.length).toBeGreaterThan(8);
  expect(labels.length).toBeLessThan(30);
});

it('leaves a guard out that is far below all that happened', () => {
  const points = path(4);
  expect(guardsInView({ accuracyAtLeast: 0.4, macsAtMost: 500 }, points)).toEqual({ macsAtMost: 500 });
  const near = { accuracyAtLeast: 0.8, macsAtMost: 500 };
  expect(guardsInView(near, points)).toEqual(near);
});
