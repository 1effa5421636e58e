import { resolve } from 'node:path';
import { Command } from 'commander';
import { choice, count, factor, share, shares } from '../arguments.ts';
import { measureInWorker } from '../child.ts';
import { CRITERION_NAMES, NORMALISATIONS, parseCriteria, SCOPES, type Setup } from '../criteria/protocol.ts';
import type { BaseRecord, PrunedRecord, Result, Task } from '../criteria/records.ts';
import { type Base, buildReport, formatReport } from '../criteria/report.ts';
import { describeMachine } from '../machine.ts';
import { ResultsFolder } from '../study/results-folder.ts';

interface CriteriaCommandOptions extends Setup {
  readonly criteria: readonly string[];
  readonly targets: readonly number[];
  readonly seeds: number;
  readonly data?: string;
  readonly out: string;
  readonly json: boolean;
}

export function criteriaCommand(): Command {
  return new Command('criteria')
    .description('what each criterion keeps, at equal MACs and an equal number of training steps')
    .option('--criteria <names>', 'comma-separated; name=value for a setting', parseCriteria, [...CRITERION_NAMES])
    .option('--targets <shares>', 'shares of the MACs to remove, comma-separated', shares, [0.3, 0.5, 0.7])
    .option('--seeds <count>', 'networks, each trained, split and pruned by a seed of its own', count, 3)
    .option('--width <factor>', "factor on VGG-11's widths", factor, 0.375)
    .option('--epochs <count>', 'epochs of the unpruned network', count, 15)
    .option('--steps <count>', 'removals on the way to the target', count, 3)
    .option('--fine-tune-epochs <count>', 'epochs after each removal but the last', count, 1)
    .option('--final-tune-epochs <count>', 'epochs after the last removal', count, 3)
    .option('--scope <name>', `one of ${SCOPES.join(', ')}`, choice(SCOPES), 'global')
    .option('--normalise <how>', `one of ${NORMALISATIONS.join(', ')}`, choice(NORMALISATIONS), 'usual')
    .option('--min-filters <count>', 'what every layer keeps', count, 8)
    .option('--max-layer-fraction <share>', "share of a layer's filters that one removal may take", share, 0.6)
    .option('--per-class <images>', 'take only so many training images of each class', count)
    .option('--test-per-class <images>', 'take only so many test images of each class', count)
    .option('--data <dir>', 'folder of the official binary CIFAR-10 (default: downloaded once)')
    .option('--out <dir>', 'folder of the results; what is there already is not measured again', 'runs/criteria')
    .option('--json', 'print JSON instead of a table', false)
    .action(criteria);
}

async function criteria(options: CriteriaCommandOptions): Promise<void> {
  const { criteria: names, targets, seeds, data, out, json, ...setup } = options;
  const folder = await ResultsFolder.open(resolve(out), setup);
  const unpruned: Base[] = [];
  const results: Result[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const name = `seed-${seed}`;
    const shared = { setup, seed, folder: resolve(out, name), ...(data !== undefined && { data: resolve(data) }) };
    const measure = <Record>(what: string, task: Task) =>
      folder.record<Record>(`${name}/${what}`, async () => {
        console.error(`seed ${seed}: ${what} ...`);
        return measureInWorker<Record>('criteria', [JSON.stringify(task)]);
      });

    unpruned.push({ seed, ...(await measure<BaseRecord>('base', { ...shared, kind: 'base' })) });
    for (const target of targets) {
      for (const criterion of names) {
        const task: Task = { ...shared, kind: 'pruned', criterion, target };
        const record = await measure<PrunedRecord>(`${criterion}-${target}`, task);
        results.push({ seed, criterion, target, ...record });
      }
    }
  }
  const report = buildReport({ setup, machine: describeMachine(), unpruned, results });
  console.log(json ? JSON.stringify(report) : formatReport(report));
}
