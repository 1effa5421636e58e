import { percent, points, whole } from '../../../terminal/format.ts';
import type { RunReport } from '../../run-report.ts';
import { Chart } from '../chart.ts';
import { classChanges } from '../class-changes.ts';
import { currentTheme } from '../current-theme.ts';
import { Choice, table } from '../dom.ts';
import { classesPlot } from '../plots/classes-plot.ts';
import { type Section, sectionElement } from '../section.ts';
import { resultsOf } from '../story.ts';

const MANY = 30;

/** Which classes paid for the removal. */
export function classesSection(): Section {
  let run: RunReport | undefined;
  const draw = () => run && drawClasses(run, { which, chart });
  const which = new Choice<'extremes' | 'all'>('Show', draw);
  const chart = new Chart(which.element);
  return {
    id: 'classes',
    title: 'Classes',
    element: sectionElement('classes', 'Classes', chart.element),
    needs: ['before', 'after', 'iterations'],
    show(shown) {
      run = shown;
      if (!run.before || !run.after || run.iterations.length === 0) return false;
      which.offer(
        run.classNames.length > MANY
          ? [
              { value: 'extremes', text: 'greatest losses and gains' },
              { value: 'all', text: 'all classes' },
            ]
          : [{ value: 'all', text: 'all classes' }],
      );
      draw();
      return true;
    },
  };
}

function drawClasses({ before, after }: RunReport, { which, chart }: { which: Choice; chart: Chart }): void {
  const [old, now] = [resultsOf(before!), resultsOf(after!)];
  const changes = classChanges(old.results, now.results);
  const shown = which.value === 'extremes' ? [...changes.slice(0, 20), ...changes.slice(-10)] : changes;
  const paid = changes.filter((change) => change.paid);
  const images = changes[0]?.images ?? 0;
  const theme = currentTheme();
  const who =
    paid.length === 0
      ? 'No class lost a point or more.'
      : `${paid.length} of ${changes.length} classes paid a point or more: ${paid
          .slice(0, 6)
          .map(({ className, change }) => `${className} ${points(change, 1).replace(' points', '').replace('-', '−')}`)
          .join(', ')}${paid.length > 6 ? ` and ${paid.length - 6} more` : ''}.`;
  chart.show({
    title: `${old.what[0]!.toUpperCase()}${old.what.slice(1)} of each class`,
    caption: `${who} One point is ${Number((images / 100).toPrecision(2))} of a class's ${whole(images)} images.`,
    legend: [
      { colour: theme.before, text: 'before', shape: 'ring' },
      { colour: theme.gained, text: 'after, gained' },
      { colour: theme.muted, text: 'after, lost less than a point' },
      { colour: theme.paid, text: 'after, paid' },
    ],
    draw: (frame) => classesPlot(shown, frame),
    table: () =>
      table(
        ['class', 'images', 'before', 'after', 'points', ''].map((title) => ({ title })),
        changes.map(({ className, images, before, after, change, paid }) => [
          className,
          whole(images),
          percent(before),
          percent(after),
          points(change, 1).replace(' points', ''),
          paid ? 'paid' : '',
        ]),
        'Accuracy of each class',
      ),
  });
}
