import { compareSpeed, type PartialBlocks, type SpeedComparison, type SpeedMeasurement } from '@secateur/export';
import { type Command, InvalidArgumentError } from 'commander';
import type { Bind, Invocation } from '../cli.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { bytes, count, milliseconds, percent, whole } from '../terminal/format.ts';
import { table } from '../terminal/table.ts';
import { addCommonOptions, integer } from './options.ts';

interface Flags {
  readonly batch: readonly number[];
  readonly threads?: readonly number[];
  readonly runs: number;
  readonly warmup: number;
}

/** Where less than this share of the MACs' ratio arrives as speed, something is worth a look. */
const ENOUGH = 0.7;

const MOST_LAYERS = 5;

export function benchOnnxCommand(program: Command, bind: Bind): void {
  const command = program
    .command('bench-onnx')
    .description('Times a network and its pruned version in onnxruntime, next to their multiply-accumulates.')
    .argument('<dense>', 'ONNX file of the network before')
    .argument('<pruned>', 'ONNX file of the network after')
    .option('--batch <sizes>', 'images in one run, with commas between them', integers, [1, 8, 128])
    .option('--threads <counts>', 'threads, with commas between them; default: 1 and one for each core', integers)
    .option('--runs <n>', 'timed runs of each at each setting', integer(1), 30)
    .option('--warmup <n>', 'runs before the clock starts', integer(0), 3);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
The two run in turn, so that whatever else the machine does meets both alike. Warns where less than ${percent(ENOUGH, 0)} of the MACs'
ratio arrives as speed, and names the layers whose channels do not fill blocks of 8 or 16, which processors compute together.

Examples:
  secateur bench-onnx runs/quickstart/unpruned.onnx runs/quickstart/model.onnx
  secateur bench-onnx dense.onnx pruned.onnx --batch 1,128 --threads 1 --json`,
    )
    .action(bind(benchOnnx));
}

async function benchOnnx({ args, flags, terminal, signal }: Invocation<Flags>): Promise<ExitCode> {
  const [dense, pruned] = args as [string, string];
  const comparison = await compareSpeed(dense, pruned, {
    batchSizes: flags.batch,
    ...(flags.threads && { threads: flags.threads }),
    runs: flags.runs,
    warmupRuns: flags.warmup,
    onMeasure({ batchSize, threads }) {
      signal.throwIfAborted();
      terminal.line(
        `  ${batchSize} ${batchSize === 1 ? 'image' : 'images'} at a time, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      );
    },
  });
  const warnings = warningsOf(comparison);
  for (const warning of warnings) terminal.warn(warning);
  terminal.result({ text: () => report(comparison), value: { dense, pruned, ...comparison, warnings } });
  return EXIT.ok;
}

function report({ macs, paddedRatio, measurements }: SpeedComparison): string {
  const [{ dense, pruned }] = measurements as [SpeedMeasurement];
  const sizes = table(
    [{ title: '' }, { title: 'dense' }, { title: 'pruned' }, { title: 'ratio' }],
    [
      ['MACs of an image', count(macs.dense), count(macs.pruned), times(macs.ratio)],
      ['in whole blocks of 16 channels', '', '', times(paddedRatio)],
      ['file', bytes(dense.bytes), bytes(pruned.bytes), times(dense.bytes / pruned.bytes)],
    ],
  );
  const titles = ['threads', 'batch', 'dense', 'p95', 'images/s', 'pruned', 'p95', 'images/s', 'speed-up', 'of MACs'];
  const speeds = table(
    titles.map((title) => ({ title, align: 'right' as const })),
    measurements.map(({ threads, batchSize, speedup, realised, ...models }) => [
      `${threads}`,
      `${batchSize}`,
      ...[models.dense, models.pruned].flatMap(({ medianMs, p95Ms, imagesPerSecond }) => [
        milliseconds(medianMs),
        milliseconds(p95Ms),
        whole(imagesPerSecond),
      ]),
      times(speedup),
      percent(realised, 0),
    ]),
  );
  return `${sizes}\n\n${speeds}`;
}

/** At most one: where the gain is missing, and the layers that it may be lost in. */
export function warningsOf({ macs, measurements, partialBlocks }: SpeedComparison): string[] {
  if (macs.ratio < 1) {
    return [`The pruned file takes more MACs than the dense one, ${count(macs.pruned)}: name the dense one first.`];
  }
  const slow = measurements.filter(({ realised }) => realised < ENOUGH);
  if (slow.length === 0 || macs.ratio === 1) return [];
  const where = slow.map(
    ({ batchSize, threads, speedup, realised }) =>
      `${times(speedup)} (${percent(realised, 0)}) at batch ${batchSize} with ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  );
  const gain = `${times(macs.ratio)} fewer MACs arrive as a speed-up of only ${where.join(', ')}.`;
  if (partialBlocks.length === 0) return [`${gain} All channels fill blocks of 16.`];
  const named = partialBlocks.slice(0, MOST_LAYERS).map(describe);
  const more = partialBlocks.length > MOST_LAYERS ? ` and ${partialBlocks.length - MOST_LAYERS} more` : '';
  return [
    `${gain} Channels that do not fill blocks of ${partialBlocks.some(({ fits }) => fits === 1) ? '8 or 16' : '16'}: ${named.join('; ')}${more}. Prune with --round-to 16 or 8.`,
  ];
}

function describe({ name, inputs, filters, macs, paddedMacs, inBlocks }: PartialBlocks): string {
  const loss = inBlocks
    ? `up to ${times(paddedMacs / macs)} the work`
    : `${inputs} is no multiple of 4: not in blocks at all`;
  return `${name} (${inputs} in, ${filters} out: ${loss})`;
}

/** 2.0234 -> '2.02 x' */
function times(ratio: number): string {
  return `${ratio.toFixed(2)} x`;
}

function integers(text: string): number[] {
  try {
    return text.split(',').map(integer(1));
  } catch {
    throw new InvalidArgumentError('It must be whole numbers of at least 1 with commas between them, such as 1,8,128.');
  }
}
