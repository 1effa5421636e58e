import { count, percent, whole } from '../../../terminal/format.ts';
import type { RunReport } from '../../run-report.ts';
import { Chart } from '../chart.ts';
import { currentTheme } from '../current-theme.ts';
import { h, table } from '../dom.ts';
import { accuracyOverIterations, macsOverIterations } from '../plots/iterations-plot.ts';
import { guardsInView, paretoPlot, paretoPoints } from '../plots/pareto-plot.ts';
import { type Section, sectionElement } from '../section.ts';

/** What each removal cost and gave. */
export function iterationsSection(): Section {
  const [pareto, accuracy, macs] = [new Chart(), new Chart(), new Chart()];
  const element = sectionElement(
    'iterations',
    'Accuracy for computation',
    h('div', { class: 'columns' }, pareto.element, h('div', { class: 'stack' }, accuracy.element, macs.element)),
  );
  return {
    id: 'iterations',
    title: 'Accuracy for computation',
    element,
    needs: ['before', 'iterations', 'guards'],
    show(run) {
      const points = paretoPoints(run);
      if (points.length < 2) return false;
      const theme = currentTheme();
      const { accuracyAtLeast, macsAtMost } = guardsInView(run.guards, points);
      const guards = [
        accuracyAtLeast === undefined ? [] : 'the least accuracy allowed',
        macsAtMost === undefined ? [] : 'the most MACs wanted',
      ].flat();
      pareto.show({
        title: 'Accuracy over MACs',
        caption: `Up and to the left is better.${guards.length > 0 ? ` Dashed: ${guards.join(' and ')}.` : ''} Hollow: not kept.`,
        legend: [{ colour: theme.after, text: 'validation accuracy after each iteration' }],
        draw: (frame) => paretoPlot([points], run.guards, frame),
        table: () => iterationTable(run),
      });
      accuracy.show({ title: 'Accuracy', draw: (frame) => accuracyOverIterations(points, frame) });
      macs.show({ title: 'Computation', draw: (frame) => macsOverIterations(points, frame) });
      return true;
    },
  };
}

function iterationTable({ before, iterations }: RunReport): HTMLElement {
  const rows = iterations.map(({ iteration, removedFilters, macs, parameters, accuracy, kept }) => [
    `${iteration}`,
    whole(removedFilters),
    count(macs),
    percent(macs / before!.macs),
    count(parameters),
    percent(accuracy, 2),
    kept ? 'yes' : 'no',
  ]);
  return table(
    ['iteration', 'filters removed', 'MACs', 'of the unpruned', 'parameters', 'accuracy', 'kept'].map((title) => ({
      title,
    })),
    [
      [
        'unpruned',
        '',
        count(before!.macs),
        '100 %',
        count(before!.parameters),
        percent(before!.validation.accuracy, 2),
        '',
      ],
      ...rows,
    ],
    'Iterations',
  );
}
