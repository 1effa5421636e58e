import { Command } from 'commander';
import { count } from '../arguments.ts';
import { measureInWorker } from '../child.ts';
import { toArguments } from '../comparison/measurement.ts';
import { findWear, type SoakMeasurement, type SoakOptions } from '../soak/endurance.ts';
import { formatTable } from '../table.ts';

export function soakCommand(): Command {
  return new Command('soak')
    .description('whether long training keeps its memory and its speed; exits with 1 if not')
    .option('--steps <count>', 'training steps', count, 10_000)
    .option('--batch <images>', 'images in a batch', count, 16)
    .option('--json', 'print JSON instead of a table', false)
    .action(soak);
}

async function soak({ json, ...options }: SoakOptions & { readonly json: boolean }): Promise<void> {
  const measurement = await measureInWorker<SoakMeasurement>('soak', toArguments(options), {
    nodeFlags: ['--expose-gc'],
  });
  const wear = findWear(measurement);
  console.log(json ? JSON.stringify({ ...measurement, wear, options }) : formatSoak(measurement, options));
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
