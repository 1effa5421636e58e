import { Command } from 'commander';
import { choice, count, factor } from '../arguments.ts';
import { measureInWorker } from '../child.ts';
import { findGrowth, type MemoryMeasurement, type MemoryOptions, percent, residentGrowth } from '../memory/growth.ts';
import { formatTable } from '../table.ts';
import { NETWORKS, PRECISIONS } from '../train-step/setting.ts';

/**
 * V8 compiles what is called often, in threads of its own and sooner or later depending on how busy the machine is: megabytes
 * that a look at resident memory cannot tell from a leak. So nothing is compiled, and garbage is collected at once.
 */
const STEADY_V8 = ['--single-threaded', '--no-opt', '--no-maglev', '--no-sparkplug', '--expose-gc'];

export function memoryCommand(): Command {
  return new Command('memory')
    .description('whether training leaves memory where it was; exits with 1 if not')
    .option('--model <name>', `one of ${NETWORKS.join(', ')}`, choice(NETWORKS), 'resnet20')
    .option('--precision <name>', `one of ${PRECISIONS.join(', ')}`, choice(PRECISIONS), 'float32')
    .option('--width <factor>', "factor on the network's widths", factor, 0.25)
    .option('--batch <images>', 'images in a batch', count, 16)
    .option('--warmup <steps>', 'steps before the first look at the resident memory', count, 200)
    .option('--steps <count>', 'steps from the first look to the last', count, 500)
    .option('--json', 'print JSON instead of a table', false)
    .action(memory);
}

async function memory({ json, ...options }: MemoryOptions & { readonly json: boolean }): Promise<void> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const measurement = await measureInWorker<MemoryMeasurement>('memory', args, { nodeFlags: STEADY_V8 });
  const growth = findGrowth(measurement);
  if (json) {
    console.log(
      JSON.stringify({ ...measurement, residentGrowth: residentGrowth(measurement.duringTraining), growth, options }),
    );
  } else {
    console.log(formatMeasurement(measurement));
    for (const sentence of growth) console.log(sentence);
    if (growth.length === 0) console.log(`${options.steps} steps left no tensor behind.`);
  }
  if (growth.length > 0) process.exitCode = 1;
}

function formatMeasurement(measurement: MemoryMeasurement): string {
  const { beforeTraining, duringTraining, afterTraining } = measurement;
  const rows = Object.entries({
    'before training': beforeTraining,
    'after warm-up': duringTraining[0]!,
    'at the last step': duringTraining.at(-1)!,
    'after training': afterTraining,
  }).map(([when, { tensors, handles, residentBytes }]) => [
    when,
    String(tensors),
    String(handles),
    `${(residentBytes / 2 ** 20).toFixed(1)} MiB`,
  ]);
  const table = formatTable(['', 'tfjs tensors', 'native handles', 'resident'], rows);
  return `${table}\nsteady growth of resident memory from warm-up to the end: ${percent(residentGrowth(duringTraining))}`;
}
