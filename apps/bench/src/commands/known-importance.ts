import { Command } from 'commander';
import { count, list, numbersFromZero } from '../arguments.ts';
import { parseCriteria } from '../criteria/parse-criterion.ts';
import { type KnownImportanceRecord, READOUTS, type Readout, type Task } from '../known-importance/planting.ts';
import { buildReport, type Measured, presentReport } from '../known-importance/report.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';

interface KnownImportanceOptions extends StudyOptions {
  readonly criteria: readonly string[];
  readonly readouts: readonly Readout[];
  readonly noises: readonly number[];
  readonly seeds: number;
  readonly classes: number;
  readonly filters: number;
  readonly imagesPerClass: number;
  readonly size: number;
  readonly epochs: number;
}

const CRITERIA = ['reference', 'quantile', 'relative', 'graded', 'taylor', 'l1-norm'];

export function knownImportanceCommand(): Command {
  const command = new Command('known-importance')
    .description('whether scores order filters that were planted for none, one, several and all classes')
    .option('--criteria <names>', 'comma-separated; name=value for a setting', parseCriteria, CRITERIA)
    .option('--readouts <names>', `of ${READOUTS.join(', ')}`, list(READOUTS), [...READOUTS])
    .option('--noises <numbers>', 'of the pixels; evidence of a class is 1', numbersFromZero, [0, 0.1, 0.3, 1])
    .option('--seeds <count>', 'networks and images', count, 3)
    .option('--classes <count>', 'classes', count, 10)
    .option('--filters <count>', 'filters for each number of classes; as many as classes serve all alike', count, 10)
    .option('--images-per-class <count>', 'images that are scored on', count, 10)
    .option('--size <pixels>', 'side of the images', count, 8)
    .option('--epochs <count>', 'epochs in which a readout is trained', count, 20);
  return addStudyOptions(command).action(knownImportance);
}

async function knownImportance(options: KnownImportanceOptions): Promise<void> {
  const { criteria, readouts, noises, seeds, classes, filters, imagesPerClass, size, epochs } = options;
  const sizes = { classes, filters, imagesPerClass, size };
  const study = await Study.open({ ...sizes, epochs, criteria: criteria.join() }, options);
  const measured: Measured[] = [];
  for (const readout of readouts) {
    for (const noise of noises) {
      for (let seed = 0; seed < seeds; seed++) {
        const task: Task = { planting: { ...sizes, noise, seed }, readout, epochs, criteria };
        const name = `${readout}-noise-${noise}/seed-${seed}`;
        const record = await study.measure<KnownImportanceRecord>(name, 'known-importance', task);
        measured.push({ readout, noise, seed, ...record });
      }
    }
  }
  await study.publish(buildReport(measured), presentReport);
}
