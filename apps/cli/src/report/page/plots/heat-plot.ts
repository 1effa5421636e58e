import * as Plot from '@observablehq/plot';
import type { ScoreMatrix } from '../../run-report.ts';
import { valuesOf } from '../score-bytes.ts';
import { type Drawing, drawPlot, type Frame, hints, textRoom } from './frame.ts';

export type FilterOrder = 'score' | 'network';

interface HeatCell {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** How much each filter of a layer matters to each class. An image, as a layer may have many thousand cells: for pages only. */
export function heatPlot(
  matrix: ScoreMatrix,
  classNames: readonly string[],
  { order }: { order: FilterOrder },
  frame: Frame,
): Drawing {
  const { theme } = frame;
  const { scores, removed } = matrix;
  const filters = scores.length;
  const values = valuesOf(matrix);
  const rows = values.length / filters;
  const gone = new Set(removed);
  const sequence = filtersInOrder(matrix, order);
  const cells: HeatCell[] = Array.from({ length: rows }, (_, row) =>
    sequence.map((filter, column) => ({
      x: column + 0.5,
      y: row + 0.5,
      text: `filter ${filter}, ${classNames[row] ?? `class ${row}`}: ${shown(values[row * filters + filter]!)}\nscore ${scores[filter]}${matrix.classes > 0 ? ` of ${matrix.classes}` : ''}${gone.has(filter) ? ', removed' : ''}`,
    })),
  ).flat();
  const image = Array.from({ length: rows }, (_, row) =>
    sequence.map((filter) => Math.sqrt(values[row * filters + filter]!)),
  ).flat();
  const marginLeft = textRoom(classNames, { most: 120 });
  const rowHeight = rows > 40 ? 7 : 20;
  const svg = drawPlot(
    {
      label: `How much the filters of ${matrix.layer} matter to each class`,
      height: rows * rowHeight + 62,
      marginLeft,
      marginTop: 20,
      marginBottom: 42,
      x: {
        domain: [0, filters],
        label:
          order === 'score' ? 'filters, from the lowest score to the highest' : 'filters, in the order of the network',
        ticks: Math.max(2, Math.round(frame.width / 90)),
        tickFormat: 'd',
        tickSize: 4,
      },
      y: { domain: [rows, 0], axis: null },
      color: {
        type: 'linear',
        domain: [0, Math.sqrt(matrix.largest) || 1],
        range: [...theme.heat],
      } as Plot.ScaleOptions,
      marks: [
        Plot.raster(image, {
          width: filters,
          height: rows,
          x1: 0,
          y1: 0,
          x2: filters,
          y2: rows,
          imageRendering: 'pixelated',
        } as Plot.RasterOptions),
        Plot.text(
          classNames.map((name, row) => ({ name, row })).filter(({ row }) => rows <= 40 || row % 5 === 0),
          {
            x: 0,
            y: ({ row }: { row: number }) => row + 0.5,
            text: 'name',
            dx: -7,
            textAnchor: 'end',
            fontSize: rows > 40 ? 8 : 12,
            lineWidth: (marginLeft - 14) / 12,
            textOverflow: 'ellipsis-middle',
          } as Plot.TextOptions,
        ),
        Plot.dot(
          sequence.flatMap((filter, column) => (gone.has(filter) ? [column + 0.5] : [])),
          {
            x: (x: number) => x,
            y: 0,
            dy: -8,
            r: Math.min(3.5, Math.max(1.2, frame.width / filters / 3)),
            fill: theme.paid,
          },
        ),
        Plot.dot(
          cells,
          Plot.pointer({
            x: 'x',
            y: 'y',
            symbol: 'square',
            r: 6,
            stroke: theme.ink,
            strokeWidth: 2,
            maxRadius: 30,
          } as Plot.DotOptions),
        ),
        hints(cells, { x: ({ x }) => x, y: ({ y }) => y, text: ({ text }) => text }, theme),
      ],
    },
    frame,
  );
  const [x, y] = [svg.scale('x')!, svg.scale('y')!];
  return {
    svg,
    stops: cells.map((cell) => ({ x: x.apply(cell.x), y: y.apply(cell.y), text: cell.text })),
    stopsPerRow: filters,
  };
}

function filtersInOrder({ scores }: ScoreMatrix, order: FilterOrder): number[] {
  const sequence = scores.map((_, filter) => filter);
  return order === 'score' ? sequence.sort((a, b) => scores[a]! - scores[b]! || a - b) : sequence;
}

function shown(value: number): string {
  return value === 0 ? '0' : value.toPrecision(2);
}
