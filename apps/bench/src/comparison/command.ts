// What `train-step` and `inference` have in common: their options, and both sides measured setting by setting.
import type { Command } from 'commander';
import { count, countOrZero, factor } from '../arguments.ts';
import { describeMachine } from '../machine.ts';
import { replaceFile } from '../replace-file.ts';
import { type Comparison, compareSides, type Run } from './compare.ts';
import { buildReport, formatReport, type ReportOptions } from './report.ts';
import { type Programs, prepareSides } from './sides.ts';

export interface ComparisonOptions extends ReportOptions {
  readonly python?: string;
  readonly out?: string;
  readonly json: boolean;
}

export function addComparisonOptions(command: Command): Command {
  return command
    .option('--width <factor>', "factor on the networks' widths", factor, 1)
    .option('--threads <count>', 'threads of either side', count, 2)
    .option('--rounds <count>', 'runs of each side that count', count, 3)
    .option('--retries <count>', 'most rounds to measure again when something else used the CPUs', countOrZero, 3)
    .option('--python <path>', 'a Python with torch (default: python3, then /usr/bin/python3)')
    .option('--out <file>', 'also write the JSON here, anew after every setting')
    .option('--json', 'print JSON instead of a table', false);
}

/** One line of the table. */
export interface ComparedSetting {
  readonly key: string;
  readonly batch: number;
  /** What both sides are told beside the width and the threads. */
  readonly told: object;
}

export interface ComparedProgram<Options extends ReportOptions> extends Programs {
  readonly settings: readonly ComparedSetting[];
  readonly goals: Readonly<Record<string, number>>;
  /** How many of the threads an undisturbed run keeps busy; default: all. */
  readonly busyThreads?: number;
  /** As the JSON shows them. */
  readonly shown: Options;
  readonly title: string;
  readonly notes?: readonly string[];
}

/** Measures every setting on both sides and prints the report. */
export async function compareAll<Options extends ReportOptions>(
  { worker, peer, settings, goals, busyThreads, shown, title, notes = [] }: ComparedProgram<Options>,
  { width, threads, rounds, retries, python, out, json }: ComparisonOptions,
): Promise<void> {
  const sidesOf = await prepareSides({ threads, ...(python !== undefined && { python }) });
  const machine = describeMachine();
  const comparisons: Comparison[] = [];
  const runs: Run[] = [];
  const report = () => buildReport({ comparisons, runs, options: shown, machine, goals });

  for (const { key, batch, told } of settings) {
    const result = await compareSides(key, {
      batch,
      threads: busyThreads ?? threads,
      rounds,
      retries,
      measure: sidesOf({ worker, peer }, { ...told, width }),
      onRun: (run) => console.error(describeRun(run)),
    });
    comparisons.push(result.comparison);
    runs.push(...result.runs);
    if (out !== undefined) await replaceFile(out, `${JSON.stringify(report(), null, 2)}\n`);
  }
  console.log(json ? JSON.stringify(report()) : formatReport(report(), { title, notes }));
}

function describeRun({ key, round, side, imagesPerSecond, busyCpus, disturbed }: Run): string {
  const name = side === 'ours' ? 'ours' : 'PyTorch';
  const note = disturbed ? ', disturbed' : '';
  return `${key} round ${round + 1} ${name}: ${imagesPerSecond.toFixed(1)} images/s, ${busyCpus.toFixed(2)} CPUs${note}`;
}
