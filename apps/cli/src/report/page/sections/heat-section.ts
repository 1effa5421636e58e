import { percent } from '../../../terminal/format.ts';
import type { RunReport, ScoreMatrix } from '../../run-report.ts';
import { Chart } from '../chart.ts';
import { currentTheme } from '../current-theme.ts';
import { Choice, table } from '../dom.ts';
import { type FilterOrder, heatPlot } from '../plots/heat-plot.ts';
import { valuesOf } from '../score-bytes.ts';
import { type Section, sectionElement } from '../section.ts';

/** Which filter serves which class. */
export function heatSection(): Section {
  let run: RunReport | undefined;
  const draw = () => run && drawHeat(run, { layer, iteration, order, chart });
  const layer = new Choice('Layer', draw);
  const iteration = new Choice('Iteration', draw);
  const order = new Choice<FilterOrder>('Order', draw);
  const chart = new Chart(layer.element, iteration.element, order.element);
  order.offer([
    { value: 'score', text: 'by score' },
    { value: 'network', text: 'as in the network' },
  ]);
  return {
    id: 'filters',
    title: 'Filters and classes',
    element: sectionElement('filters', 'Filters and classes', chart.element),
    needs: ['matrices', 'classNames'],
    show(shown) {
      run = shown;
      if (run.matrices.length === 0) return false;
      const layers = [...new Set(run.matrices.map((matrix) => matrix.layer))];
      layer.offer(
        layers.map((name) => ({ value: name, text: name })),
        layers.at(-1)!,
      );
      iteration.offer(
        [...new Set(run.matrices.map((matrix) => matrix.iteration))].map((n) => ({ value: `${n}`, text: `${n}` })),
      );
      draw();
      return true;
    },
  };
}

function drawHeat(
  { matrices, classNames }: RunReport,
  { layer, iteration, order, chart }: { layer: Choice; iteration: Choice; order: Choice<FilterOrder>; chart: Chart },
): void {
  const matrix =
    matrices.find((entry) => entry.layer === layer.value && `${entry.iteration}` === iteration.value) ?? matrices[0]!;
  const theme = currentTheme();
  chart.show({
    title: `How much the filters of ${matrix.layer} matter to each class`,
    caption: `One column a filter, one row a class; the stronger the colour, the more it matters. ${matrix.removed.length > 0 ? 'Dots above mark the filters that were removed.' : 'No filter of this layer was removed.'} Point at a cell, or use the arrow keys, for its numbers.`,
    legend: [
      { colour: `linear-gradient(90deg, ${theme.heat.join(', ')})`, text: 'matters not at all … most', shape: 'ramp' },
      ...(matrix.removed.length > 0 ? [{ colour: theme.paid, text: 'removed' }] : []),
    ],
    draw: (frame) => heatPlot(matrix, classNames, { order: order.value }, frame),
    table: () => classTable(matrix, classNames),
  });
}

/** What a heat map of many thousand cells says, class by class. */
function classTable(matrix: ScoreMatrix, classNames: readonly string[]): HTMLElement {
  const values = valuesOf(matrix);
  const filters = matrix.scores.length;
  const rows = classNames.map((name, row) => {
    const own = Array.from(values.subarray(row * filters, (row + 1) * filters));
    const best = own.indexOf(Math.max(...own));
    const mean = own.reduce((sum, value) => sum + value, 0) / filters;
    return [
      name,
      mean.toPrecision(2),
      `filter ${best} (${own[best]!.toPrecision(2)})`,
      percent(own.filter((value) => value === 0).length / filters, 0),
    ];
  });
  return table(
    [
      { title: 'class' },
      { title: 'mean over the filters' },
      { title: 'matters most' },
      { title: 'filters that do not matter' },
    ],
    rows,
    `Filters of ${matrix.layer} and classes`,
  );
}
