import { percent } from '../../../terminal/format.ts';
import { Chart } from '../chart.ts';
import { currentTheme } from '../current-theme.ts';
import { table } from '../dom.ts';
import { filtersPlot } from '../plots/filters-plot.ts';
import { type Section, sectionElement } from '../section.ts';

/** What is left of each layer. */
export function layersSection(): Section {
  const chart = new Chart();
  return {
    id: 'layers',
    title: 'Layers',
    element: sectionElement('layers', 'Layers', chart.element),
    needs: ['layers'],
    show({ layers }) {
      if (layers.length === 0) return false;
      const sum = (of: 'before' | 'after') => layers.reduce((total, layer) => total + layer[of], 0);
      const theme = currentTheme();
      chart.show({
        title: 'Filters left in each layer',
        caption: `${sum('after')} of ${sum('before')} filters are left, ${percent(sum('after') / sum('before'), 0)}.`,
        legend: [
          { colour: theme.after, text: 'left' },
          { colour: theme.track, text: 'removed' },
        ],
        draw: (frame) => filtersPlot(layers, frame),
        table: () =>
          table(
            [{ title: 'layer' }, { title: 'before' }, { title: 'after' }, { title: 'left' }],
            layers.map(({ layer, before, after }) => [layer, `${before}`, `${after}`, percent(after / before, 0)]),
            'Filters of each layer',
          ),
      });
      return true;
    },
  };
}
