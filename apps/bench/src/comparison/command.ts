// What `train-step` and `inference` have in common: their options, and both sides measured setting by setting.
import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { count, countOrZero, factor } from '../arguments.ts';
import { measureInChild, measureInWorker } from '../child.ts';
import { describeMachine } from '../machine.ts';
import { findPythonWithTorch } from '../python.ts';
import { type Comparison, compareSides, type Run } from './compare.ts';
import { type Measurement, toArguments } from './measurement.ts';
import { buildReport, formatReport, type ReportOptions } from './report.ts';

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

export interface ComparedProgram<Options extends ReportOptions> {
  /** A file of workers/, and the one of peers/ that takes the same arguments. */
  readonly worker: string;
  readonly peer: string;
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
  { width, threads, rounds, retries, python: wantedPython, out, json }: ComparisonOptions,
): Promise<void> {
  const python = await findPythonWithTorch(wantedPython);
  const peerFile = fileURLToPath(new URL(`../../peers/${peer}`, import.meta.url));
  // BLAS keeps a pool of its own that torch's setting does not reach; both sides get the same size.
  const environment = { OMP_NUM_THREADS: String(threads), PYTHONDONTWRITEBYTECODE: '1' };
  const machine = describeMachine();
  const comparisons: Comparison[] = [];
  const runs: Run[] = [];
  const report = () => buildReport({ comparisons, runs, options: shown, machine, goals });

  for (const { key, batch, told } of settings) {
    const args = toArguments({ ...told, width, threads });
    const result = await compareSides(key, {
      batch,
      threads: busyThreads ?? threads,
      rounds,
      retries,
      measure: (side) =>
        side === 'ours'
          ? measureInWorker<Measurement>(worker, args, { environment })
          : measureInChild<Measurement>(python, [peerFile, ...args], environment),
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

/** The file is always a whole one. */
async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  await writeFile(unfinished, text);
  await rename(unfinished, path);
}
