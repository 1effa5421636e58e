import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { count, countOrZero, factor, list } from '../arguments.ts';
import { measureInChild, measureInWorker } from '../child.ts';
import { describeMachine } from '../machine.ts';
import { findPythonWithTorch } from '../python.ts';
import { type Comparison, compareSides, type Run, type Side } from '../train-step/compare.ts';
import { buildReport, formatReport } from '../train-step/report.ts';
import {
  type Measurement,
  NETWORKS,
  type NetworkName,
  OBJECTIVES,
  type ObjectiveName,
  PRECISIONS,
  type RunOptions,
  type Setting,
  toArguments,
} from '../train-step/setting.ts';

const PEER = fileURLToPath(new URL('../../peers/train_step.py', import.meta.url));

interface TrainStepOptions extends RunOptions {
  readonly models: readonly NetworkName[];
  readonly precisions: readonly Setting['precision'][];
  readonly objectives: readonly ObjectiveName[];
  readonly rounds: number;
  readonly retries: number;
  readonly python?: string;
  readonly out?: string;
  readonly json: boolean;
}

export function trainStepCommand(): Command {
  return new Command('train-step')
    .description('images per second of a training step, next to PyTorch')
    .option('--models <names>', `of ${NETWORKS.join(', ')}`, list(NETWORKS), [...NETWORKS])
    .option('--precisions <names>', `of ${PRECISIONS.join(', ')}`, list(PRECISIONS), [...PRECISIONS])
    .option('--objectives <names>', `of ${OBJECTIVES.join(', ')}`, list(OBJECTIVES), [...OBJECTIVES])
    .option('--width <factor>', "factor on the networks' widths", factor, 1)
    .option('--batch <images>', 'images in a batch', count, 128)
    .option('--warmup <steps>', 'steps of a run before the measured ones', count, 10)
    .option('--steps <count>', 'measured steps of a run', count, 6)
    .option('--threads <count>', 'threads of either side', count, 2)
    .option('--rounds <count>', 'runs of each side that count', count, 3)
    .option('--retries <count>', 'most rounds to measure again when something else used the CPUs', countOrZero, 3)
    .option('--python <path>', 'a Python with torch (default: python3, then /usr/bin/python3)')
    .option('--out <file>', 'also write the JSON here, anew after every setting')
    .option('--json', 'print JSON instead of a table', false)
    .action(trainStep);
}

async function trainStep({ models, precisions, objectives, ...options }: TrainStepOptions): Promise<void> {
  const { width, batch, warmup, steps, threads, rounds, retries, python: wantedPython, out, json } = options;
  const python = await findPythonWithTorch(wantedPython);
  const machine = describeMachine();
  const comparisons: Comparison[] = [];
  const runs: Run[] = [];
  const report = () =>
    buildReport({
      comparisons,
      runs,
      options: { width, batch, warmup, steps, threads, rounds, retries },
      machine,
    });

  for (const setting of settingsOf({ models, precisions, objectives })) {
    const result = await compareSides(setting, {
      batch,
      threads,
      rounds,
      retries,
      measure: (side) =>
        measure(side, toArguments(setting, { width, batch, warmup, steps, threads }), { python, threads }),
      onRun: (run) => console.error(describeRun(run)),
    });
    comparisons.push(result.comparison);
    runs.push(...result.runs);
    if (out !== undefined) await replaceFile(out, `${JSON.stringify(report(), null, 2)}\n`);
  }
  console.log(json ? JSON.stringify(report()) : formatReport(report()));
}

function settingsOf({
  models,
  precisions,
  objectives,
}: Pick<TrainStepOptions, 'models' | 'precisions' | 'objectives'>): Setting[] {
  return models.flatMap((model) =>
    precisions.flatMap((precision) => objectives.map((objective) => ({ model, precision, objective }))),
  );
}

function measure(
  side: Side,
  args: readonly string[],
  { python, threads }: { python: string; threads: number },
): Promise<Measurement> {
  // BLAS keeps a pool of its own that torch's setting does not reach; both sides get the same size.
  const environment = { OMP_NUM_THREADS: String(threads), PYTHONDONTWRITEBYTECODE: '1' };
  return side === 'ours'
    ? measureInWorker('train-step', args, { environment })
    : measureInChild(python, [PEER, ...args], environment);
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
