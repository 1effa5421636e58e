import { percent } from '../format.ts';
import { plot } from '../plot/plot.ts';
import { mean, standardDeviation } from '../statistics.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';
import type { PrecisionRecord, Setup } from './records.ts';

export interface SeedRecords {
  readonly seed: number;
  readonly float32: PrecisionRecord;
  readonly bfloat16: PrecisionRecord;
}

export interface PrecisionReport {
  readonly recipe: Setup;
  readonly seeds: readonly SeedRecords[];
  /** Mean test accuracy in bfloat16 minus that in float32. */
  readonly difference: number;
  /** Of the test accuracies in float32, over seeds. */
  readonly standardDeviation: number;
  /** Whether the means differ by no more than one standard deviation. */
  readonly agree: boolean;
}

export function buildReport(seeds: readonly SeedRecords[], recipe: Setup): PrecisionReport {
  const accuracies = (precision: 'float32' | 'bfloat16') => seeds.map(({ [precision]: record }) => record.testAccuracy);
  const difference = mean(accuracies('bfloat16')) - mean(accuracies('float32'));
  const spread = standardDeviation(accuracies('float32'));
  return { recipe, seeds, difference, standardDeviation: spread, agree: Math.abs(difference) <= spread };
}

export function presentReport(report: PrecisionReport): Presentation {
  const { recipe, seeds, difference, standardDeviation: spread, agree } = report;
  const rows = seeds.map(({ seed, float32, bfloat16 }) => [
    String(seed),
    percent(float32.testAccuracy),
    percent(bfloat16.testAccuracy),
    float32.loss.toFixed(4),
    bfloat16.loss.toFixed(4),
  ]);
  const text = [
    `VGG-11, width ${recipe.width}, CIFAR-10, ${recipe.perClass ?? 'all'} images of each class, ${recipe.epochs} epochs`,
    '',
    formatTable(['seed', 'float32', 'bfloat16', 'loss in float32', 'in bfloat16'], rows),
    '',
    `bfloat16 - float32: ${(100 * difference).toFixed(2)} points; standard deviation over seeds in float32: ${(100 * spread).toFixed(2)} points. ${agree ? 'They agree.' : 'They differ by more than that.'}`,
  ].join('\n');
  const accuracies = plot({
    title: 'Test accuracy by the precision of training',
    x: { label: 'seed' },
    y: { label: 'test accuracy' },
    series: (['float32', 'bfloat16'] as const).map((name) => ({
      name,
      points: seeds.map(({ seed, [name]: { testAccuracy } }) => [seed, testAccuracy] as const),
    })),
  });
  return { text, plots: { accuracies } };
}
