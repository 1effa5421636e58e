import { Command } from 'commander';
import { count } from '../arguments.ts';
import { measureInWorker } from '../child.ts';
import { toArguments } from '../comparison/measurement.ts';
import { describeMachine, type Machine } from '../machine.ts';
import { replaceFile } from '../replace-file.ts';
import { findWear, type SoakMeasurement, type SoakOptions } from '../soak/endurance.ts';
import { formatTable } from '../table.ts';

/** What `bench soak --json` prints. */
export interface SoakReport extends SoakMeasurement {
  /** What did not stay as it was, one sentence each. */
  readonly wear: readonly string[];
  readonly options: SoakOptions;
  readonly machine: Machine;
}

interface SoakCommandOptions extends SoakOptions {
  readonly out?: string;
  readonly json: boolean;
}

export function soakCommand(): Command {
  return new Command('soak')
    .description('whether long training keeps its memory and its speed; exits with 1 if not')
    .option('--steps <count>', 'training steps', count, 10_000)
    .option('--batch <images>', 'images in a batch', count, 16)
    .option('--out <file>', 'also write the JSON here')
    .option('--json', 'print JSON instead of a table', false)
    .action(soak);
}

async function soak({ out, json, ...options }: SoakCommandOptions): Promise<void> {
  const machine = describeMachine();
  const measurement = await measureInWorker<SoakMeasurement>('soak', toArguments(options), {
    nodeFlags: ['--expose-gc'],
  });
  const wear = findWear(measurement);
  const report: SoakReport = { ...measurement, wear, options, machine };
  if (out !== undefined) await replaceFile(out, `${JSON.stringify(report, null, 2)}\n`);
  console.log(json ? JSON.stringify(report) : formatSoak(measurement, options));
  if (!json) for (const sentence of wear) console.log(sentence);
  if (wear.length > 0) process.exitCode = 1;
}

function formatSoak({ snapshots }: SoakMeasurement, { steps }: SoakOptions): string {
  const rows = snapshots.map(({ tensors, handles, residentBytes, imagesPerSecond }, i) => [
    String(Math.floor(steps / snapshots.length) * (i + 1)),
    String(tensors),
    String(handles),
    `${(residentBytes / 2 ** 20).toFixed(1)} MiB`,
    imagesPerSecond.toFixed(0),
  ]);
  return formatTable(['steps', 'tfjs tensors', 'native handles', 'resident', 'images/s'], rows);
}
