import type { PrecisionReport } from '../run/precision.ts';
import { bytes, milliseconds, percent } from './format.ts';
import { table } from './table.ts';

export function precisionReport(reports: readonly PrecisionReport[]): string {
  const share = (value: number | null) => (value === null ? '-' : percent(value, 2));
  return table(
    [
      { title: 'precision' },
      ...['file', 'accuracy', 'same class', 'one image', 'p95'].map((title) => ({ title, align: 'right' as const })),
    ],
    reports.map((report) => [
      report.precision,
      bytes(report.bytes),
      share(report.accuracy),
      share(report.sameClass),
      milliseconds(report.medianMs),
      milliseconds(report.p95Ms),
    ]),
  );
}
