import type { ProfileRow } from './profiler.ts';

const HEADINGS = ['kernel', 'count', 'ms', 'share', 'GFLOP/s', 'GB/s', 'alive', 'alive MB'];

/** The rows as a text table, with their sums. */
export function formatProfile(rows: readonly ProfileRow[]): string {
  const sum = (of: (row: ProfileRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  const ms = sum((row) => row.ms);
  const cells = rows.map((row) => [
    row.kernel,
    String(row.count),
    row.ms.toFixed(1),
    `${(ms > 0 ? (100 * row.ms) / ms : 0).toFixed(1)} %`,
    row.gflopsPerSecond === null ? '' : row.gflopsPerSecond.toFixed(1),
    row.bytes > 0 ? row.gigabytesPerSecond.toFixed(1) : '',
    row.alive > 0 ? String(row.alive) : '',
    row.aliveBytes > 0 ? (row.aliveBytes / 1e6).toFixed(1) : '',
  ]);
  const totals = [
    'total',
    String(sum((row) => row.count)),
    ms.toFixed(1),
    '',
    '',
    '',
    String(sum((row) => row.alive)),
    (sum((row) => row.aliveBytes) / 1e6).toFixed(1),
  ];
  const table = [HEADINGS, ...cells, totals];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))))
    .map((row) => row.join('  ').trimEnd())
    .join('\n');
}
