import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Columns as wide as their widest cell; colours do not count. The first column is on the left, others on the right unless they say so. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const width = (text: string) => stripVTControlCharacters(text).length;
  const lines = [...(columns.some(({ title }) => title) ? [columns.map(({ title }) => title)] : []), ...rows];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))));
  return lines
    .map((line) =>
      columns
        .map(({ align }, column) => {
          const cell = line[column] ?? '';
          const padding = ' '.repeat(widths[column]! - width(cell));
          return (align ?? (column === 0 ? 'left' : 'right')) === 'left' ? cell + padding : padding + cell;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
