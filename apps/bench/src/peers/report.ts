import type { Comparison, Run } from '../comparison/compare.ts';
import { mebibytes, short } from '../format.ts';
import type { Machine } from '../machine.ts';
import { plot } from '../plot/plot.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';
import { PARTS, type Part } from './settings.ts';

/** As it is kept: measured once, wherever that was. */
export interface ComparedRuns {
  readonly comparison: Comparison;
  readonly runs: readonly Run[];
  readonly machine: Machine;
}

export interface MeasuredSetting extends ComparedRuns {
  readonly part: Part;
  readonly goal?: number;
}

/** Medians over the counted rounds. */
export interface PeerRow {
  readonly part: Part;
  readonly key: string;
  /** Of one training step, scoring pass or cut, or of the whole way. */
  readonly milliseconds: { readonly ours: number; readonly peer: number };
  /** PyTorch's time / ours. */
  readonly ratio: number;
  readonly goal?: number;
  readonly peakBytes: { readonly ours: number; readonly peer: number };
  /** Ours / PyTorch's, of `peakBytes`; the goal is at most 1. */
  readonly memoryRatio: number;
  /** Of the peak, what the work added to the language, the libraries, the network and the images. */
  readonly addedBytes: { readonly ours: number; readonly peer: number };
  readonly disturbedRounds: number;
}

export interface PeersReport {
  readonly threads: number;
  readonly rows: readonly PeerRow[];
  readonly engines: readonly string[];
  readonly machines: readonly Machine[];
  readonly measured: readonly MeasuredSetting[];
}

export function buildReport(measured: readonly MeasuredSetting[], threads: number): PeersReport {
  const rows = measured.map(({ part, goal, comparison: { key, ratio, ours, peer, disturbedRounds } }) => ({
    part,
    key,
    // The comparison counts each work as one image.
    milliseconds: { ours: 1000 / ours.imagesPerSecond, peer: 1000 / peer.imagesPerSecond },
    ratio,
    ...(goal !== undefined && { goal }),
    peakBytes: { ours: ours.peakBytes, peer: peer.peakBytes },
    memoryRatio: ours.peakBytes / peer.peakBytes,
    addedBytes: { ours: ours.addedBytes, peer: peer.addedBytes },
    disturbedRounds,
  }));
  const machines = new Map(
    measured.map(({ machine: { load, ...machine }, machine: whole }) => [JSON.stringify(machine), whole]),
  );
  const engines = new Set(measured.flatMap(({ runs }) => runs.map(({ engine }) => engine)));
  return { threads, rows, engines: [...engines], machines: [...machines.values()], measured };
}

const HEADINGS = [
  'part',
  'setting',
  'ours ms',
  'PyTorch ms',
  'ratio',
  'goal',
  'peak MiB',
  'ratio',
  'added MiB',
  'ratio',
];

export function presentReport({ threads, rows, engines, machines }: PeersReport): Presentation {
  const table = formatTable(
    HEADINGS,
    rows.map(({ part, key, milliseconds, ratio, goal, peakBytes, memoryRatio, addedBytes, disturbedRounds }) => [
      part,
      key,
      short(milliseconds.ours),
      short(milliseconds.peer),
      ratio.toFixed(2) + (disturbedRounds > 0 ? '*' : ''),
      goal === undefined ? '-' : `${goal} ${ratio >= goal ? 'met' : 'missed'}`,
      `${mebibytes(peakBytes.ours)} / ${mebibytes(peakBytes.peer)}`,
      describeMemory(memoryRatio),
      `${mebibytes(addedBytes.ours)} / ${mebibytes(addedBytes.peer)}`,
      describeMemory(addedBytes.ours / addedBytes.peer),
    ]),
  );
  const text = [
    `secateur next to plain PyTorch, ${threads} thread(s) each, rounds by turns, medians; the weights of both start at random`,
    ...machines.map(
      ({ cpu, processors, system, node }) => `${cpu}, ${processors} processors, ${system}, Node.js ${node}`,
    ),
    engines.join(' against '),
    '',
    table,
    '',
    'Ratios are PyTorch / ours in time, and ours / PyTorch in memory: of the whole process, and of what the work added to it. Goal: at most 1.',
    ...(rows.some(({ part, key }) => key.includes('bfloat16') && (part === 'end-to-end' || key.endsWith('full')))
      ? ["The whole objective in bfloat16: our orthogonality term is in bfloat16, PyTorch's in float32."]
      : []),
    ...(rows.some(({ disturbedRounds }) => disturbedRounds > 0)
      ? ['* Something else used the CPUs during a counted round: measure again on a quiet machine.']
      : []),
  ].join('\n');
  const place = new Map(rows.map((row, index) => [row, index + 1]));
  const ratios = plot({
    title: 'How many times as fast as PyTorch',
    x: { label: 'row of the table' },
    y: { label: 'PyTorch / ours' },
    series: [
      ...PARTS.map((part) => ({
        name: part,
        points: rows.filter((row) => row.part === part).map((row) => [place.get(row)!, row.ratio] as const),
      })).filter(({ points }) => points.length > 0),
      {
        name: 'as fast',
        mark: 'line',
        points: [
          [1, 1],
          [Math.max(2, rows.length), 1],
        ],
      },
    ],
  });
  return { text, plots: { ratios } };
}

function describeMemory(ratio: number): string {
  return `${ratio.toFixed(2)} ${ratio <= 1 ? 'met' : 'missed'}`;
}
