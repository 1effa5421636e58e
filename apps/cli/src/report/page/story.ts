import { bytes, change, count, milliseconds, percent, points, whole } from '../../terminal/format.ts';
import type { IterationScores, NetworkState, RunReport } from '../run-report.ts';

/** A number before and after. */
export interface Headline {
  readonly name: string;
  readonly change: string;
  readonly before: string;
  readonly after: string;
  /** What is left, in [0, 1] where it became less. */
  readonly left: number;
  readonly note?: string;
}

/** What became of the network, in the numbers that matter most. */
export function headlines({ before, after }: Pick<RunReport, 'before' | 'after'>): Headline[] {
  if (!before || !after) return [];
  const [old, now] = [resultsOf(before), resultsOf(after)];
  const list: Headline[] = [
    {
      name: old.what,
      change: points(now.results.accuracy - old.results.accuracy),
      before: percent(old.results.accuracy, 2),
      after: percent(now.results.accuracy, 2),
      left: now.results.accuracy / old.results.accuracy,
      note: `${whole(now.results.images)} images`,
    },
    counted('multiply-accumulates', count, before.macs, after.macs),
    counted('parameters', count, before.parameters, after.parameters),
  ];
  if (before.onnxBytes !== undefined && after.onnxBytes !== undefined)
    list.push(counted('ONNX file', bytes, before.onnxBytes, after.onnxBytes));
  if (before.latency && after.latency) {
    const [was, is] = [before.latency, after.latency];
    list.push({
      ...counted('latency, one image', milliseconds, was.medianMs, is.medianMs),
      change: `${(was.medianMs / is.medianMs).toFixed(2)} × as fast`,
      note: `median; 95th percentile ${milliseconds(was.p95Ms)} → ${milliseconds(is.p95Ms)}`,
    });
  }
  return list;
}

/** Test images once they were classified, validation images until then. */
export function resultsOf({ test, validation }: NetworkState) {
  return test ? { what: 'test accuracy', results: test } : { what: 'validation accuracy', results: validation };
}

/** The run in a sentence or two. */
export function story(run: RunReport): string {
  const { before, after, iterations, endReason, state } = run;
  if (!before || !after) return WITHOUT_PRUNING[state];
  if (iterations.length === 0) return 'The network is trained; nothing has been removed yet.';
  const gone = 1 - after.macs / before.macs;
  const [old, now] = [resultsOf(before), resultsOf(after)];
  const difference = now.results.accuracy - old.results.accuracy;
  const price =
    difference < 0
      ? `for ${points(-difference).replace('+', '')} of ${old.what}`
      : `and the ${old.what} rose by ${points(difference).replace('+', '')}`;
  const passes = iterations.length === 1 ? 'one iteration' : `${iterations.length} iterations`;
  const end = endReason === undefined ? '' : ` It ended after ${passes}: ${endReason}.`;
  return `${percent(gone)} of the multiply-accumulates ${state === 'running' ? 'are gone so far' : 'are gone'} ${price}.${end}`;
}

const WITHOUT_PRUNING: Readonly<Record<RunReport['state'], string>> = {
  running: 'The network is being trained.',
  finished: 'The network was trained; nothing was pruned.',
  interrupted: 'The run ended before pruning began.',
  failed: 'The run ended before pruning began.',
};

export const STATES: Readonly<Record<RunReport['state'], string>> = {
  running: 'running',
  finished: 'finished',
  interrupted: 'interrupted',
  failed: 'failed',
};

/** Shares of the filters that matter to no class, and to all: a network that is polarised has little in between. */
export function polarisation({ layers, classes }: IterationScores): { none: number; all: number } | undefined {
  if (classes === 0) return undefined;
  const sum = (of: (counts: readonly number[]) => number) =>
    layers.reduce((total, { counts }) => total + of(counts), 0);
  const filters = layers.reduce((total, layer) => total + layer.filters, 0);
  return { none: sum((counts) => counts[0]!) / filters, all: sum((counts) => counts.at(-1)!) / filters };
}

/** Values of a nested object under names such as 'training.epochs'. */
export function flatten(value: unknown, name = ''): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[name, `${value}`]];
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return [[name, value.join(', ')]];
  return Object.entries(value).flatMap(([key, item]) => flatten(item, name === '' ? key : `${name}.${key}`));
}

function counted(name: string, format: (value: number) => string, before: number, after: number): Headline {
  return { name, change: change(before, after), before: format(before), after: format(after), left: after / before };
}
