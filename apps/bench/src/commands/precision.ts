import { resolve } from 'node:path';
import { Command } from 'commander';
import { count, factor } from '../arguments.ts';
import { measureInWorker } from '../child.ts';
import { describeMachine } from '../machine.ts';
import type { Precision, PrecisionRecord, Setup, Task } from '../precision/records.ts';
import { buildReport, formatReport, type SeedRecords } from '../precision/report.ts';
import { ResultsFolder } from '../study/results-folder.ts';

interface PrecisionCommandOptions extends Setup {
  readonly seeds: number;
  readonly data?: string;
  readonly out: string;
  readonly json: boolean;
}

export function precisionCommand(): Command {
  return new Command('precision')
    .description('whether training in bfloat16 reaches the accuracy of float32, by the same recipe and seeds')
    .option('--seeds <count>', 'networks in each precision', count, 3)
    .option('--width <factor>', "factor on VGG-11's widths", factor, 0.25)
    .option('--epochs <count>', 'epochs of each training', count, 6)
    .option('--per-class <images>', 'take only so many training images of each class', count)
    .option('--test-per-class <images>', 'take only so many test images of each class', count)
    .option('--data <dir>', 'folder of the official binary CIFAR-10 (default: downloaded once)')
    .option('--out <dir>', 'folder of the results; what is there already is not measured again', 'runs/precision')
    .option('--json', 'print JSON instead of a table', false)
    .action(precision);
}

async function precision({ seeds: count, data, out, json, ...setup }: PrecisionCommandOptions): Promise<void> {
  const folder = await ResultsFolder.open(resolve(out), setup);
  const seeds: SeedRecords[] = [];
  for (let seed = 0; seed < count; seed++) {
    const measure = (precision: Precision) =>
      folder.record<PrecisionRecord>(`seed-${seed}/${precision}`, async () => {
        console.error(`seed ${seed}: ${precision} ...`);
        const task: Task = { setup, seed, precision, ...(data !== undefined && { data: resolve(data) }) };
        return measureInWorker<PrecisionRecord>('precision', [JSON.stringify(task)]);
      });
    seeds.push({ seed, float32: await measure('float32'), bfloat16: await measure('bfloat16') });
  }
  const report = buildReport({ setup, machine: describeMachine(), seeds });
  console.log(json ? JSON.stringify(report) : formatReport(report));
}
