import { percent, whole } from '../../../terminal/format.ts';
import type { Curve, RunReport } from '../../run-report.ts';
import { Chart } from '../chart.ts';
import { currentTheme } from '../current-theme.ts';
import { Choice, table } from '../dom.ts';
import { curveName, curvePoints, curvesPlot, MEASURES, type Measure, phaseIndex } from '../plots/curves-plot.ts';
import { type Section, sectionElement } from '../section.ts';

/** How training and tuning went. */
export function curvesSection(): Section {
  let run: RunReport | undefined;
  const draw = () => run && drawCurves(run, { measure: measure.value, chart });
  const measure = new Choice<Measure>('Show', draw);
  const chart = new Chart(measure.element);
  return {
    id: 'training',
    title: 'Training',
    element: sectionElement('training', 'Training', chart.element),
    needs: ['curves'],
    show(shown) {
      run = shown;
      const { curves } = run;
      if (curves.length === 0) return false;
      const isThere = (name: Measure) =>
        curvePoints(curves, name).some((line) => line.some(({ value }) => value !== 0));
      measure.offer(
        (Object.keys(MEASURES) as Measure[]).filter(isThere).map((value) => ({ value, text: MEASURES[value] })),
      );
      draw();
      return true;
    },
  };
}

function drawCurves({ curves }: RunReport, { measure, chart }: { measure: Measure; chart: Chart }): void {
  const theme = currentTheme();
  const phases = [...new Map(curves.map((curve) => [curve.phase, curve])).values()];
  chart.show({
    title: `${MEASURES[measure][0]!.toUpperCase()}${MEASURES[measure].slice(1)}`,
    caption: resolution(curves),
    legend: phases.map((curve) => ({ colour: theme.series[phaseIndex(curve)]!, text: curve.phase, shape: 'line' })),
    draw: (frame) => curvesPlot(curves, measure, frame),
    table: () =>
      table(
        ['training', 'epoch', 'loss', 'cross entropy', 'accuracy', 'images/s'].map((title) => ({ title })),
        curves.flatMap((curve) =>
          curve.means.map(({ epoch, loss, crossEntropy, accuracy, imagesPerSecond }) => [
            curveName(curve),
            `${epoch + 1} of ${curve.epochs}`,
            loss.toFixed(4),
            crossEntropy.toFixed(4),
            percent(accuracy, 2),
            whole(imagesPerSecond),
          ]),
        ),
        'Means over epochs',
      ),
  });
}

function resolution(curves: readonly Curve[]): string {
  const stretches = curves.filter(({ steps }) => steps.epoch.length > 0).map(({ stretch }) => stretch);
  if (stretches.length === 0) return 'Means over epochs.';
  const most = Math.max(...stretches);
  return most === 1 ? 'Every step.' : `Means over up to ${most} steps. Vertical lines: a new training begins.`;
}
