import { mebibytes } from '../format.ts';
import type { Machine } from '../machine.ts';
import { formatTable } from '../table.ts';
import type { Comparison, Run } from './compare.ts';

/** How a command measures: what the sides are told, and how often. */
export interface ReportOptions {
  readonly width: number;
  readonly threads: number;
  readonly rounds: number;
  readonly retries: number;
}

/** What `bench train-step --json` and `bench inference --json` print. */
export interface Report<Options extends ReportOptions = ReportOptions> {
  /** Ours / PyTorch's images per second, by setting. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly goals: Readonly<Record<string, number>>;
  readonly comparisons: readonly Comparison[];
  /** Every run, those that no median counts included. */
  readonly runs: readonly Run[];
  readonly options: Options;
  readonly machine: Machine & { readonly engines: readonly string[] };
}

export function buildReport<Options extends ReportOptions>({
  comparisons,
  runs,
  options,
  machine,
  goals,
}: {
  comparisons: readonly Comparison[];
  runs: readonly Run[];
  options: Options;
  machine: Machine;
  /** By setting; more than were measured. */
  goals: Readonly<Record<string, number>>;
}): Report<Options> {
  const measured = comparisons.flatMap(({ key }) => (goals[key] === undefined ? [] : [[key, goals[key]] as const]));
  return {
    ratios: Object.fromEntries(comparisons.map(({ key, ratio }) => [key, ratio])),
    goals: Object.fromEntries(measured),
    comparisons,
    runs,
    options,
    machine: { ...machine, engines: [...new Set(runs.map((run) => run.engine))] },
  };
}

const HEADINGS = [
  'setting',
  'ours img/s',
  'PyTorch img/s',
  'ratio',
  'goal',
  'peak MiB',
  'added by steps',
  'ratio',
  'busy CPUs',
];

/** As a table under its title, with the notes that belong to it below. */
export function formatReport(
  { comparisons, options, machine, goals }: Report,
  { title, notes = [] }: { title: string; notes?: readonly string[] },
): string {
  const rows = comparisons.map(({ key, ratio, ours, peer, disturbedRounds }) => [
    key,
    ours.imagesPerSecond.toFixed(1),
    peer.imagesPerSecond.toFixed(1),
    ratio.toFixed(2) + (disturbedRounds > 0 ? '*' : ''),
    describeGoal(goals[key], ratio),
    `${mebibytes(ours.peakBytes)} / ${mebibytes(peer.peakBytes)}`,
    `${mebibytes(ours.addedBytes)} / ${mebibytes(peer.addedBytes)}`,
    peer.addedBytes > 0 ? (ours.addedBytes / peer.addedBytes).toFixed(2) : '-',
    `${ours.busyCpus.toFixed(2)} / ${peer.busyCpus.toFixed(2)}`,
  ]);
  const lines = [
    `${title}, ${options.threads} threads, medians of ${options.rounds} rounds by turns`,
    `${machine.cpu}, ${machine.processors} processors, Node.js ${machine.node}; ${machine.engines.join(' against ')}`,
    '',
    formatTable(HEADINGS, rows),
  ];
  if (options.width !== 1) lines.push('', `Goals are for width 1; this is width ${options.width}.`);
  for (const note of notes) lines.push('', note);
  if (comparisons.some(({ disturbedRounds }) => disturbedRounds > 0)) {
    lines.push('', '* Something else used the CPUs during a counted round: measure again on a quiet machine.');
  }
  return lines.join('\n');
}

function describeGoal(goal: number | undefined, ratio: number): string {
  if (goal === undefined) return '-';
  return `${goal.toFixed(2)} ${ratio >= goal ? 'met' : 'missed'}`;
}
