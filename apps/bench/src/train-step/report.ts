import type { Machine } from '../machine.ts';
import { formatTable } from '../table.ts';
import type { Comparison, Run } from './compare.ts';
import { GOALS } from './goals.ts';
import type { RunOptions } from './setting.ts';

/** What `bench train-step --json` prints. */
export interface TrainStepReport {
  /** Ours / PyTorch's images per second, by 'model/precision/objective'. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly goals: Readonly<Record<string, number>>;
  readonly comparisons: readonly Comparison[];
  /** Every run, those that no median counts included. */
  readonly runs: readonly Run[];
  readonly options: RunOptions & { readonly rounds: number; readonly retries: number };
  readonly machine: Machine & { readonly engines: readonly string[] };
}

export function buildReport({
  comparisons,
  runs,
  options,
  machine,
}: {
  comparisons: readonly Comparison[];
  runs: readonly Run[];
  options: TrainStepReport['options'];
  machine: Machine;
}): TrainStepReport {
  const goals = comparisons.flatMap(({ key }) => (GOALS[key] === undefined ? [] : [[key, GOALS[key]] as const]));
  return {
    ratios: Object.fromEntries(comparisons.map(({ key, ratio }) => [key, ratio])),
    goals: Object.fromEntries(goals),
    comparisons,
    runs,
    options,
    machine: { ...machine, engines: [...new Set(runs.map((run) => run.engine))] },
  };
}

const HEADINGS = ['setting', 'ours img/s', 'PyTorch img/s', 'ratio', 'goal', 'ours peak', 'PyTorch peak', 'busy CPUs'];

export function formatReport({ comparisons, options, machine }: TrainStepReport): string {
  const rows = comparisons.map(({ key, ratio, ours, peer, disturbedRounds }) => [
    key,
    ours.imagesPerSecond.toFixed(1),
    peer.imagesPerSecond.toFixed(1),
    ratio.toFixed(2) + (disturbedRounds > 0 ? '*' : ''),
    describeGoal(key, ratio),
    mebibytes(ours.peakBytes),
    mebibytes(peer.peakBytes),
    `${ours.busyCpus.toFixed(2)} / ${peer.busyCpus.toFixed(2)}`,
  ]);
  const lines = [
    `Training steps of ${options.batch} images, ${options.threads} threads, medians of ${options.rounds} rounds by turns`,
    `${machine.cpu}, ${machine.processors} processors, Node.js ${machine.node}; ${machine.engines.join(' against ')}`,
    '',
    formatTable(HEADINGS, rows),
  ];
  if (options.width !== 1) lines.push('', `Goals are for width 1; this is width ${options.width}.`);
  if (comparisons.some(({ key }) => key.endsWith('/bfloat16/full'))) {
    lines.push(
      '',
      "bfloat16/full: our orthogonality term is in bfloat16, PyTorch's in float32; float32/full is like for like.",
    );
  }
  if (comparisons.some(({ disturbedRounds }) => disturbedRounds > 0)) {
    lines.push('', '* Something else used the CPUs during a counted round: measure again on a quiet machine.');
  }
  return lines.join('\n');
}

function describeGoal(key: string, ratio: number): string {
  const goal = GOALS[key];
  if (goal === undefined) return '-';
  return `${goal.toFixed(2)} ${ratio >= goal ? 'met' : 'missed'}`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
