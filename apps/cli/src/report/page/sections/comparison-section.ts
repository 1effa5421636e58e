import { percent } from '../../../terminal/format.ts';
import type { RunReport } from '../../run-report.ts';
import { Chart } from '../chart.ts';
import { currentTheme, onThemeChange } from '../current-theme.ts';
import { h, table } from '../dom.ts';
import { paretoPlot, paretoPoints } from '../plots/pareto-plot.ts';
import { sectionElement } from '../section.ts';
import { flatten, headlines, resultsOf } from '../story.ts';

/** Several runs next to each other: their numbers, their paths, and in what they differ. */
export function comparisonSection(runs: readonly RunReport[]): HTMLElement {
  const pareto = new Chart();
  const paths = runs.map(paretoPoints).filter(({ length }) => length > 0);
  const show = () => {
    const { series } = currentTheme();
    pareto.show({
      title: 'Accuracy over MACs',
      caption:
        'Each run from its unpruned network on, on the validation images. Up and to the left is better. Hollow: not kept.',
      legend: paths.map(([first], i) => ({ colour: series[i % series.length]!, text: first!.run })),
      draw: (frame) => paretoPlot(paths, {}, frame),
    });
  };
  show();
  onThemeChange(show);
  return sectionElement(
    'comparison',
    `${runs.length} runs compared`,
    h('div', { class: 'block' }, resultTable(runs)),
    pareto.element,
    h(
      'div',
      { class: 'columns' },
      h('div', { class: 'block' }, h('h3', {}, 'Classes'), classTable(runs)),
      h('div', { class: 'block' }, h('h3', {}, 'Where the settings differ'), differences(runs)),
    ),
  );
}

function resultTable(runs: readonly RunReport[]): HTMLElement {
  const names = [...new Set(runs.flatMap((run) => headlines(run).map(({ name }) => name)))];
  const rows = runs.map((run) => {
    const found = new Map(headlines(run).map((headline) => [headline.name, headline]));
    return [
      run.name,
      ...names.map((name) => {
        const headline = found.get(name);
        return headline
          ? h(
              'span',
              {},
              h('b', {}, headline.after),
              h('small', { class: 'delta' }, ` ${headline.change.replace(/^-/, '−')}`),
            )
          : '';
      }),
    ];
  });
  return table([{ title: 'run' }, ...names.map((title) => ({ title }))], rows, 'Results of the runs');
}

function classTable(runs: readonly RunReport[]): HTMLElement {
  const finished = runs.filter(({ after }) => after);
  const names = [...new Set(finished.flatMap(({ classNames }) => classNames))];
  const rows = names.map((name) => [
    name,
    ...finished.map(({ after }) => {
      const entry = resultsOf(after!).results.classes.find(({ className }) => className === name);
      return entry && entry.images > 0 ? percent(entry.correct / entry.images) : '';
    }),
  ]);
  return table(
    [{ title: 'class' }, ...finished.map((run) => ({ title: run.name }))],
    rows,
    'Accuracy of each class after pruning',
  );
}

function differences(runs: readonly RunReport[]): HTMLElement {
  const settings = runs.map(({ config }) => new Map(flatten(config)));
  const keys = [...new Set(settings.flatMap((all) => [...all.keys()]))].filter(
    (key) => !/^(commandLine|startedAt)/.test(key) && new Set(settings.map((all) => all.get(key))).size > 1,
  );
  if (keys.length === 0) return h('p', {}, 'In nothing.');
  return table(
    [{ title: 'key' }, ...runs.map(({ name }) => ({ title: name }))],
    keys.map((key) => [key, ...settings.map((all) => all.get(key) ?? '–')]),
    'Settings that differ',
  );
}
