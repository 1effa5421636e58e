import { classChanges } from '../page/class-changes.ts';
import { classesPlot } from '../page/plots/classes-plot.ts';
import { confusionCells, confusionPlot } from '../page/plots/confusion-plot.ts';
import { curvesPlot, phaseIndex } from '../page/plots/curves-plot.ts';
import { filtersPlot } from '../page/plots/filters-plot.ts';
import type { Frame } from '../page/plots/frame.ts';
import { paretoPlot, paretoPoints } from '../page/plots/pareto-plot.ts';
import { scoresPlot } from '../page/plots/scores-plot.ts';
import { headlines, resultsOf } from '../page/story.ts';
import type { Theme } from '../page/theme.ts';
import type { RunReport } from '../run-report.ts';
import { type LegendEntry, Sheet } from './sheet.ts';

export const STATIC_PLOTS = ['overview', 'pareto', 'filters', 'classes', 'scores', 'training', 'confusion'] as const;
export type StaticPlot = (typeof STATIC_PLOTS)[number];

const WIDTH = 860;
const MARGIN = 20;

/** A plot of the report as an SVG file; undefined where the run has not got far enough for it. */
export function staticPlot(name: StaticPlot, run: RunReport, theme: Theme): string | undefined {
  const { before, after, layers, scores, curves, iterations } = run;
  const pruned =
    before && after && iterations.length > 0 ? { before: resultsOf(before), after: resultsOf(after) } : undefined;
  switch (name) {
    case 'overview':
      return pruned && overview(run, theme);
    case 'pareto':
      return (
        pruned &&
        one(
          'Accuracy over MACs after each iteration',
          (frame) => paretoPlot([paretoPoints(run)], run.guards, frame),
          theme,
        )
      );
    case 'filters':
      return layers.length > 0
        ? one('Filters left in each layer', (frame) => filtersPlot(layers, frame), theme, filterLegend(theme))
        : undefined;
    case 'classes': {
      if (!pruned) return undefined;
      const changes = classChanges(pruned.before.results, pruned.after.results);
      return one(
        `Each class: ${pruned.before.what} before and after`,
        (frame) => classesPlot(changes, frame),
        theme,
        classLegend(theme),
      );
    }
    case 'scores': {
      const [first] = scores;
      if (!first) return undefined;
      const list = first.layers.map((histogram) => ({ title: histogram.layer, histogram }));
      return one(
        `Scores of the filters at iteration ${first.iteration}`,
        (frame) => scoresPlot(list, first, frame),
        theme,
      );
    }
    case 'training': {
      if (curves.length === 0) return undefined;
      const phases = [...new Map(curves.map((curve) => [curve.phase, curve])).values()];
      const legend = phases.map((curve) => ({ colour: theme.series[phaseIndex(curve)]!, text: curve.phase }));
      return one('Loss', (frame) => curvesPlot(curves, 'total', frame), theme, legend);
    }
    case 'confusion': {
      if (!pruned) return undefined;
      const cells = confusionCells(pruned.after.results);
      return one('Confusion after pruning', (frame) => confusionPlot(cells, { difference: false }, frame), theme);
    }
    default:
      return name satisfies never;
  }
}

function one(
  title: string,
  draw: (frame: Frame) => ReturnType<typeof filtersPlot>,
  theme: Theme,
  legend: readonly LegendEntry[] = [],
): string {
  const sheet = new Sheet(title, { width: WIDTH, theme });
  sheet.legend(legend, { x: MARGIN, y: 58 });
  const top = legend.length > 0 ? 74 : 50;
  const height = sheet.plot(draw, { x: MARGIN, y: top, width: WIDTH - 2 * MARGIN });
  return sheet.toSvg(top + height + 12);
}

/** The numbers that matter most, what is left of each layer, and what became of each class. */
function overview(run: RunReport, theme: Theme): string {
  const { network = run.name, data, layers } = run;
  const sheet = new Sheet(`${network}${data ? ` on ${data}` : ''}: before and after class-aware pruning`, {
    width: WIDTH,
    theme,
  });
  const numbers = headlines(run);
  const column = (WIDTH - 2 * MARGIN) / numbers.length;
  numbers.forEach(({ name, change, before, after }, i) => {
    const x = MARGIN + i * column;
    const [, number, unit] = /^(\S+)(.*)$/.exec(change)!;
    sheet.text(name, { x, y: 64, size: 12, fill: theme.muted });
    sheet.text(number!.replace(/^-/, '−'), { x, y: 92, size: 23, weight: 600, fill: theme.after });
    sheet.text(unit!.trim(), { x: x + 8 + 14.5 * number!.length, y: 92, size: 13, weight: 600, fill: theme.after });
    sheet.text(`${before} → ${after}`, { x, y: 113, size: 12 });
  });
  const half = (WIDTH - 3 * MARGIN) / 2;
  const right = 2 * MARGIN + half;
  const top = 172;
  sheet.text('Filters left in each layer', { x: MARGIN, y: 146, weight: 600 });
  sheet.legend(filterLegend(theme), { x: MARGIN, y: 165 });
  const { what, results } = resultsOf(run.after!);
  sheet.text(`Classes, ${what}`, { x: right, y: 146, weight: 600 });
  sheet.legend(classLegend(theme), { x: right, y: 165 });
  const changes = classChanges(resultsOf(run.before!).results, results);
  const heights = [
    sheet.plot((frame) => filtersPlot(layers, frame), { x: MARGIN, y: top, width: half }),
    sheet.plot((frame) => classesPlot(changes, frame), { x: right, y: top, width: half }),
  ];
  return sheet.toSvg(top + Math.max(...heights) + 12);
}

function filterLegend(theme: Theme): LegendEntry[] {
  return [
    { colour: theme.after, text: 'left' },
    { colour: theme.track, text: 'removed' },
  ];
}

function classLegend(theme: Theme): LegendEntry[] {
  return [
    { colour: theme.before, text: 'before' },
    { colour: theme.gained, text: 'gained' },
    { colour: theme.muted, text: 'about the same' },
    { colour: theme.paid, text: 'paid' },
  ];
}
