import { resolve } from 'node:path';
import { Command } from 'commander';
import { count, factor } from '../arguments.ts';
import type { Precision, PrecisionRecord, Setup, Task } from '../precision/records.ts';
import { buildReport, presentReport, type SeedRecords } from '../precision/report.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';

interface PrecisionOptions extends Setup, StudyOptions {
  readonly seeds: number;
  readonly data?: string;
}

export function precisionCommand(): Command {
  const command = new Command('precision')
    .description('whether training in bfloat16 reaches the accuracy of float32, by the same recipe and seeds')
    .option('--seeds <count>', 'networks in each precision', count, 3)
    .option('--width <factor>', "factor on VGG-11's widths", factor, 0.25)
    .option('--epochs <count>', 'epochs of each training', count, 6)
    .option('--per-class <images>', 'take only so many training images of each class', count)
    .option('--test-per-class <images>', 'take only so many test images of each class', count)
    .option('--data <dir>', 'folder of the official binary CIFAR-10 (default: downloaded once)');
  return addStudyOptions(command).action(precision);
}

async function precision({ seeds: count, data, minutes, out, json, ...setup }: PrecisionOptions): Promise<void> {
  const study = await Study.open(setup, { out, json, ...(minutes !== undefined && { minutes }) });
  study.announce(2 * count * setup.epochs);
  const seeds: SeedRecords[] = [];
  for (let seed = 0; seed < count; seed++) {
    const measure = (precision: Precision) => {
      const task: Task = { setup, seed, precision, ...(data !== undefined && { data: resolve(data) }) };
      return study.measure<PrecisionRecord>(`seed-${seed}/${precision}`, 'precision', task);
    };
    seeds.push({ seed, float32: await measure('float32'), bfloat16: await measure('bfloat16') });
  }
  await study.publish(buildReport(seeds, setup), presentReport);
}
