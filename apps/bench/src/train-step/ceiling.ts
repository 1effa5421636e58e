import { measureInWorker } from '../child.ts';
import type { ComparisonOptions } from '../comparison/command.ts';
import { toArguments } from '../comparison/measurement.ts';
import { percent } from '../format.ts';
import { describeMachine } from '../machine.ts';
import { replaceFile } from '../replace-file.ts';
import { median } from '../statistics.ts';
import { formatTable } from '../table.ts';
import { type ConvolutionShare, convolutionShare } from './convolution-share.ts';
import { SHARE_GOALS } from './goals.ts';
import { keyOf, PROFILE_BEGINS, type RunOptions, type Setting, type TrainingMeasurement } from './setting.ts';

interface CeilingRun extends ConvolutionShare {
  readonly key: string;
  readonly round: number;
  readonly busyCpus: number;
}

/** What `bench train-step --ceiling --json` prints. */
export interface CeilingReport {
  /** By setting, the round with the median share. */
  readonly shares: Readonly<Record<string, ConvolutionShare>>;
  /** The least shares. */
  readonly goals: Readonly<Record<string, number>>;
  readonly runs: readonly CeilingRun[];
  readonly options: RunOptions & { readonly rounds: number };
  readonly machine: ReturnType<typeof describeMachine>;
}

/** Runs each setting with oneDNN's verbose mode and a profile, and prints which share of a step its convolutions take. */
export async function measureCeiling(
  settings: readonly Setting[],
  { width, batch, device, warmup, steps, threads, rounds, out, json }: RunOptions & ComparisonOptions,
): Promise<void> {
  const options = { width, batch, device, warmup, steps, threads, rounds };
  const machine = describeMachine();
  const runs: CeilingRun[] = [];
  for (const setting of settings) {
    for (let round = 0; round < rounds; round++) {
      const run = { key: keyOf(setting), round, ...(await measureShare(setting, options)) };
      runs.push(run);
      console.error(`${run.key} round ${round + 1}: ${percent(run.share)}, ${run.busyCpus.toFixed(2)} CPUs`);
    }
  }
  const report: CeilingReport = {
    shares: Object.fromEntries(settings.map((setting) => [keyOf(setting), middle(runs, keyOf(setting))])),
    goals: Object.fromEntries(settings.map((setting) => [keyOf(setting), SHARE_GOALS[setting.model]])),
    runs,
    options,
    machine,
  };
  if (out !== undefined) await replaceFile(out, `${JSON.stringify(report, null, 2)}\n`);
  console.log(json ? JSON.stringify(report) : formatCeiling(report));
}

async function measureShare(
  setting: Setting,
  { width, batch, device, warmup, steps, threads }: RunOptions,
): Promise<ConvolutionShare & { readonly busyCpus: number }> {
  const lines: string[] = [];
  const args = [...toArguments({ ...setting, width, batch, device, warmup, steps, threads }), '--profiled'];
  const { milliseconds, rows, busyCpus } = await measureInWorker<TrainingMeasurement>('train-step', args, {
    environment: { OMP_NUM_THREADS: String(threads), DNNL_VERBOSE: '1', ONEDNN_VERBOSE: '1' },
    onLine: (line) => lines.push(line),
  });
  const measured = lines.slice(lines.indexOf(PROFILE_BEGINS) + 1);
  return { ...convolutionShare({ steps, milliseconds: median(milliseconds), rows: rows! }, measured), busyCpus };
}

function middle(runs: readonly CeilingRun[], key: string): ConvolutionShare {
  const sorted = runs.filter((run) => run.key === key).sort((a, b) => a.share - b.share);
  const { stepMs, primitivesMs, ownMs, share } = sorted[sorted.length >> 1]!;
  return { stepMs, primitivesMs, ownMs, share };
}

const HEADINGS = ['setting', 'step ms', 'oneDNN ms', 'own ms', 'share', 'goal'];

function formatCeiling({ shares, goals, options, machine }: CeilingReport): string {
  const rows = Object.entries(shares).map(([key, { stepMs, primitivesMs, ownMs, share }]) => [
    key,
    stepMs.toFixed(1),
    primitivesMs.toFixed(1),
    ownMs.toFixed(1),
    percent(share),
    `${percent(goals[key]!)} ${share >= goals[key]! ? 'met' : 'missed'}`,
  ]);
  return [
    `Convolutions' share of a training step of ${options.batch} images, ${options.threads} threads, middle one of ${options.rounds} runs`,
    `${machine.cpu}, ${machine.processors} processors, Node.js ${machine.node}`,
    '',
    formatTable(HEADINGS, rows),
  ].join('\n');
}
