import { percent, whole } from '../../../terminal/format.ts';
import type { IterationScores, RunReport } from '../../run-report.ts';
import { Chart } from '../chart.ts';
import { currentTheme } from '../current-theme.ts';
import { Choice, table } from '../dom.ts';
import { scoresPlot, type TitledHistogram } from '../plots/scores-plot.ts';
import { type Section, sectionElement } from '../section.ts';
import { polarisation } from '../story.ts';

/** How scores spread, layer by layer at one iteration, or iteration by iteration in one layer. */
export function scoresSection(): Section {
  let run: RunReport | undefined;
  const draw = () => run && drawScores(run, { view, chart });
  const view = new Choice('Show', draw);
  const chart = new Chart(view.element);
  return {
    id: 'scores',
    title: 'Scores',
    element: sectionElement('scores', 'Scores', chart.element),
    needs: ['scores'],
    show(shown) {
      run = shown;
      const { scores } = run;
      if (scores.length === 0) return false;
      const names = [...new Set(scores.flatMap(({ layers }) => layers.map(({ layer }) => layer)))];
      view.offer([
        ...scores.map(({ iteration }, i) => ({ value: `iteration ${i}`, text: `all layers, iteration ${iteration}` })),
        ...(scores.length > 1
          ? names.map((layer, i) => ({ value: `layer ${i}`, text: `${layer}, all iterations` }))
          : []),
      ]);
      draw();
      return true;
    },
  };
}

function drawScores({ scores }: RunReport, { view, chart }: { view: Choice; chart: Chart }): void {
  const [what, index] = view.value.split(' ') as [string, string];
  const names = [...new Set(scores.flatMap(({ layers }) => layers.map(({ layer }) => layer)))];
  const ofLayer = (layer: string) =>
    scores.flatMap(({ iteration, layers }) =>
      layers
        .filter((histogram) => histogram.layer === layer)
        .map((histogram) => ({ title: `iteration ${iteration}`, histogram })),
    );
  const iteration = scores[what === 'iteration' ? Number(index) : scores.length - 1]!;
  const list: TitledHistogram[] =
    what === 'layer'
      ? ofLayer(names[Number(index)]!)
      : iteration.layers.map((histogram) => ({ title: histogram.layer, histogram }));
  const { classes, threshold } = iteration;
  const theme = currentTheme();
  chart.show({
    title: what === 'layer' ? `Scores of ${names[Number(index)]}` : `Scores at iteration ${iteration.iteration}`,
    caption: spread(scores, iteration),
    ...(threshold !== undefined && {
      legend: [{ colour: theme.paid, text: `below the threshold of ${threshold}`, shape: 'dash' }],
    }),
    draw: (frame) => scoresPlot(list, { classes, threshold }, frame),
    table: () =>
      table(
        ['', 'filters', 'mean score', 'lowest bin', 'highest bin', 'removed'].map((title) => ({ title })),
        list.map(({ title, histogram: { filters, mean, counts, removed } }) => [
          title,
          whole(filters),
          mean.toPrecision(3),
          percent(counts[0]! / filters),
          percent(counts.at(-1)! / filters),
          whole(removed),
        ]),
        'Scores',
      ),
  });
}

/** Whether the scores are polarised, which is what the regularisers are for. */
function spread(scores: readonly IterationScores[], shown: IterationScores): string {
  const now = polarisation(shown);
  if (!now) return 'These scores have no bound: each histogram goes from the lowest of its layer to the highest.';
  const first = shown === scores[0] ? undefined : polarisation(scores[0]!);
  const then = first
    ? ` (at iteration ${scores[0]!.iteration}: ${percent(first.none, 0)} and ${percent(first.all, 0)})`
    : '';
  return `${percent(now.none, 0)} of the filters matter to no class, ${percent(now.all, 0)} to all ${shown.classes}${then}. The more at the ends, the more polarised the network.`;
}
