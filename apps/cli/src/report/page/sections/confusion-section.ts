import { percent, whole } from '../../../terminal/format.ts';
import type { RunReport } from '../../run-report.ts';
import { Chart } from '../chart.ts';
import { currentTheme } from '../current-theme.ts';
import { h, table } from '../dom.ts';
import { type ConfusionCell, confusionCells, confusionPlot, mostConfused } from '../plots/confusion-plot.ts';
import { type Section, sectionElement } from '../section.ts';
import { resultsOf } from '../story.ts';

/** Which classes are taken for which. */
export function confusionSection(): Section {
  const [before, after, difference] = [new Chart(), new Chart(), new Chart()];
  const element = sectionElement(
    'confusion',
    'Confusion',
    h('div', { class: 'columns' }, before.element, after.element),
    difference.element,
  );
  return {
    id: 'confusion',
    title: 'Confusion',
    element,
    needs: ['before', 'after', 'iterations'],
    show(run) {
      if (!run.before || !run.after || run.iterations.length === 0) return false;
      showConfusion(run, { before, after, difference });
      return true;
    },
  };
}

function showConfusion(run: RunReport, charts: Readonly<Record<'before' | 'after' | 'difference', Chart>>): void {
  const [old, now] = [resultsOf(run.before!).results, resultsOf(run.after!).results];
  const theme = currentTheme();
  const one = (name: 'Before' | 'After', cells: readonly ConfusionCell[]) => ({
    title: `${name} pruning`,
    caption: `Rows: labels. Columns: what the network said. Most confused: ${mostConfused(cells, 3)
      .map(({ label, predicted, images }) => `${label} taken for ${predicted} (${whole(images)})`)
      .join(', ')}.`,
    draw: (frame: Parameters<typeof confusionPlot>[2]) => confusionPlot(cells, { difference: false }, frame),
    table: () => confusionTable(cells),
  });
  charts.before.show(one('Before', confusionCells(old)));
  charts.after.show(one('After', confusionCells(now)));
  const cells = confusionCells(now, old);
  charts.difference.show({
    title: 'What changed',
    caption: 'Images more or fewer than before. On the diagonal more is better, elsewhere fewer.',
    legend: [
      { colour: theme.diverging[2], text: 'worse' },
      { colour: theme.diverging[0], text: 'better' },
    ],
    draw: (frame) => confusionPlot(cells, { difference: true }, frame),
  });
}

function confusionTable(cells: readonly ConfusionCell[]): HTMLElement {
  return table(
    ['label', 'taken for', 'images', 'share'].map((title, i) => ({
      title,
      ...(i === 1 && { align: 'left' as const }),
    })),
    mostConfused(cells, 50).map(({ label, predicted, images, share }) => [
      label,
      predicted,
      whole(images),
      percent(share),
    ]),
    'Most confused classes',
  );
}
