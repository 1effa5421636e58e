import { resolve } from 'node:path';
import { Command } from 'commander';
import { count, factor, list, share } from '../arguments.ts';
import { type Setup, VARIANTS, type Variant } from '../keeping/protocol.ts';
import type { BaseRecord, PlansRecord, SeedRecords, Task, VariantRecord } from '../keeping/records.ts';
import { buildReport, presentReport } from '../keeping/report.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';

interface KeepingOptions extends Setup, StudyOptions {
  readonly variants: readonly Variant[];
  readonly seeds: number;
  readonly data?: string;
}

export function keepingCommand(): Command {
  const command = new Command('keeping')
    .description('what keeps accuracy over removals, at equal MACs and an equal number of training steps')
    .option('--variants <names>', `of ${VARIANTS.join(', ')}`, list(VARIANTS), [...VARIANTS])
    .option('--seeds <count>', 'networks, each trained, split and pruned by a seed of its own', count, 3)
    .option('--width <factor>', "factor on VGG-11's widths", factor, 0.375)
    .option('--target <share>', 'share of the MACs to remove', share, 0.505)
    .option('--epochs <count>', 'epochs of the unpruned network', count, 15)
    .option('--fine-tune-epochs <count>', 'epochs after each removal but the last', count, 1)
    .option('--final-tune-epochs <count>', 'epochs after the last removal', count, 7)
    .option('--batches <count>', 'batches to recalibrate on', count, 100)
    .option('--teacher-weight <share>', 'weight of the distillation loss', share, 0.9)
    .option('--temperature <number>', 'of the distillation loss', factor, 4)
    .option('--per-class <images>', 'take only so many training images of each class', count)
    .option('--test-per-class <images>', 'take only so many test images of each class', count)
    .option('--data <dir>', 'folder of the official binary CIFAR-10 (default: downloaded once)');
  return addStudyOptions(command).action(keeping);
}

async function keeping({ variants, seeds, data, minutes, out, json, ...setup }: KeepingOptions): Promise<void> {
  if (setup.epochs < Math.max(setup.fineTuneEpochs, setup.finalTuneEpochs)) {
    throw new Error(
      `Expected --epochs of at least those of each tuning, because rewinding goes back to them, but got ${setup.epochs}.`,
    );
  }
  const study = await Study.open(setup, { out, json, ...(minutes !== undefined && { minutes }) });
  const records: SeedRecords[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const folder = study.folderOf(`seed-${seed}`);
    const shared = { setup, seed, folder, ...(data !== undefined && { data: resolve(data) }) };
    const measure = <Record>(what: string, task: Task) =>
      study.measure<Record>(`seed-${seed}/${what}`, 'keeping', task);

    const base = await measure<BaseRecord>('base', { ...shared, kind: 'base' });
    const { plans } = await measure<PlansRecord>('plans', { ...shared, kind: 'plans' });
    const ofVariant: Partial<Record<Variant, VariantRecord>> = {};
    for (const variant of variants) {
      ofVariant[variant] = await measure(variant, { ...shared, kind: 'variant', variant, plans });
    }
    records.push({ seed, base, variants: ofVariant });
  }
  await study.publish(buildReport(records, { recipe: setup, variants }), presentReport);
}
