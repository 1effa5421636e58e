import * as Plot from '@observablehq/plot';
import { percent, signed, whole } from '../../../terminal/format.ts';
import type { ClassResults } from '../../run-report.ts';
import { type Drawing, drawPlot, type Frame, hints, nameAxis, stopsOf, textRoom } from './frame.ts';

export interface ConfusionCell {
  readonly label: string;
  readonly predicted: string;
  /** Share of the label's images; of a difference, how much that share grew. */
  readonly share: number;
  readonly images: number;
  readonly right: boolean;
}

/** @param before Makes it the difference from this one. */
export function confusionCells(results: ClassResults, before?: ClassResults): ConfusionCell[] {
  const names = results.classes.map(({ className }) => className);
  return results.confusion.flatMap((row, label) => {
    const all = row.reduce((sum, images) => sum + images, 0);
    const former = before?.confusion[label];
    const formerAll = former?.reduce((sum, images) => sum + images, 0) ?? 0;
    return row.map((images, predicted) => ({
      label: names[label]!,
      predicted: names[predicted]!,
      share: ratio(images, all) - (former ? ratio(former[predicted]!, formerAll) : 0),
      images: images - (former?.[predicted] ?? 0),
      right: label === predicted,
    }));
  });
}

/** Which class was taken for which: rows are labels, columns are what the network said. */
export function confusionPlot(
  cells: readonly ConfusionCell[],
  { difference }: { difference: boolean },
  frame: Frame,
): Drawing {
  const { theme } = frame;
  const names = [...new Set(cells.map(({ label }) => label))];
  const marginLeft = textRoom(names, { most: 110 });
  const side = Math.min(frame.width, 560) - marginLeft - 12;
  const place = {
    x: ({ predicted }: ConfusionCell) => predicted,
    y: ({ label }: ConfusionCell) => label,
    text: ({ label, predicted, share, images }: ConfusionCell) =>
      difference
        ? `${label} taken for ${predicted}: ${signed(images, 0)} images (${signed(100 * share)} points)`
        : `${label} taken for ${predicted}: ${whole(images)} images (${percent(share)})`,
  };
  const largest = cells.reduce(
    (most, { share, right }) => (difference && !right ? Math.max(most, Math.abs(share)) : most),
    0.005,
  );
  const numbers = names.length <= 12 && side / names.length > 26;
  // More of what is right is good, more of what is wrong is bad: the colours say which.
  const worth = ({ share, right }: ConfusionCell) => (difference && right ? -share : share);
  const svg = drawPlot(
    {
      label: difference ? 'How the confusion of classes changed' : 'Confusion of classes',
      width: marginLeft + side + 12,
      height: side + 84,
      marginLeft,
      marginTop: 6,
      marginRight: 12,
      marginBottom: 78,
      x: { domain: names, label: null },
      y: { domain: names, label: null },
      color: difference
        ? ({
            type: 'diverging',
            domain: [-largest, largest],
            range: [...theme.diverging],
            interpolate: 'rgb',
            clamp: true,
          } as Plot.ScaleOptions)
        : ({ type: 'sqrt', domain: [0, 1], range: [...theme.heat], clamp: true } as Plot.ScaleOptions),
      marks: [
        nameAxis(marginLeft, { fontSize: names.length > 40 ? 7 : 11, ...thin(names) }),
        Plot.axisX({
          tickRotate: -50,
          tickSize: 0,
          label: null,
          fontSize: names.length > 40 ? 7 : 11,
          textAnchor: 'end',
          lineWidth: 7,
          textOverflow: 'ellipsis',
          ...thin(names),
        } as Plot.AxisXOptions),
        Plot.cell(cells, {
          x: place.x,
          y: place.y,
          fill: worth,
          inset: names.length > 30 ? 0 : 0.75,
          rx: names.length > 30 ? 0 : 2,
        }),
        numbers
          ? Plot.text(
              cells.filter(({ images }) => images !== 0),
              {
                x: place.x,
                y: place.y,
                text: ({ images }: ConfusionCell) => (difference ? signed(images, 0) : `${images}`),
                fontSize: 10.5,
                fill: (cell: ConfusionCell) => (needsLight(cell, difference, largest) ? theme.surface : theme.ink),
              },
            )
          : [],
        hints(cells, place, theme),
      ],
    },
    frame,
  );
  return { svg, stops: stopsOf(svg, cells, place), stopsPerRow: names.length };
}

/** The pairs of classes that were confused most. */
export function mostConfused(cells: readonly ConfusionCell[], count = 5): ConfusionCell[] {
  return cells
    .filter(({ right, images }) => !right && images > 0)
    .sort((a, b) => b.share - a.share)
    .slice(0, count);
}

/** Of many names only some have room. */
function thin(names: readonly string[]): { ticks?: string[] } {
  const every = Math.ceil(names.length / 50);
  return every > 1 ? { ticks: names.filter((_, i) => i % every === 0) } : {};
}

function needsLight({ share }: ConfusionCell, difference: boolean, largest: number): boolean {
  return difference ? Math.abs(share) > 0.6 * largest : share > 0.28;
}

function ratio(part: number, all: number): number {
  return all > 0 ? part / all : 0;
}
