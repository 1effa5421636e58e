import type { ScoreMatrix } from '../run-report.ts';

/** How much filter f matters to class c: [classes * filters], row by row. */
export function valuesOf({ bytes, largest }: ScoreMatrix): Float32Array {
  const text = atob(bytes);
  return Float32Array.from({ length: text.length }, (_, i) => largest * (text.charCodeAt(i) / 255) ** 2);
}
