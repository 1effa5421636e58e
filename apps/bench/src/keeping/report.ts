import { deviation, percent, signed } from '../format.ts';
import { plot } from '../plot/plot.ts';
import { mean, type Spread, spread } from '../statistics.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';
import type { Setup, Variant } from './protocol.ts';
import type { SeedRecords } from './records.ts';

export interface VariantSummary {
  readonly variant: Variant;
  readonly validationAccuracy: Spread;
  readonly testAccuracy: Spread;
  /** Validation accuracy minus that of 'plain' with the same seed; absent where no seed has both. */
  readonly gain?: Spread & { readonly seeds: number; readonly better: number };
  /** Validation accuracy right after a removal, over all removals. */
  readonly afterRemoval: number;
  readonly seconds: number;
  readonly teacherSeconds: number;
  readonly steps: number;
}

export interface KeepingReport {
  readonly recipe: Setup;
  readonly unpruned: Spread;
  /** Share of the MACs that went, by seed. */
  readonly macsRemoved: readonly number[];
  readonly variants: readonly VariantSummary[];
  readonly seeds: readonly SeedRecords[];
}

export function buildReport(
  seeds: readonly SeedRecords[],
  { recipe, variants }: { readonly recipe: Setup; readonly variants: readonly Variant[] },
): KeepingReport {
  return {
    recipe,
    unpruned: spread(seeds.map(({ base }) => base.testAccuracy)),
    macsRemoved: seeds.flatMap(({ base, variants }) => {
      const [any] = Object.values(variants);
      return any ? [1 - any.macs / base.macs] : [];
    }),
    variants: variants.map((variant) => summarise(variant, seeds)),
    seeds,
  };
}

function summarise(variant: Variant, seeds: readonly SeedRecords[]): VariantSummary {
  const records = seeds.flatMap(({ variants }) => variants[variant] ?? []);
  const gains = seeds.flatMap(({ variants: { plain, [variant]: own } }) =>
    plain && own ? [own.validationAccuracy - plain.validationAccuracy] : [],
  );
  return {
    variant,
    validationAccuracy: spread(records.map(({ validationAccuracy }) => validationAccuracy)),
    testAccuracy: spread(records.map(({ testAccuracy }) => testAccuracy)),
    ...(gains.length > 0 && {
      gain: { ...spread(gains), seeds: gains.length, better: gains.filter((gain) => gain > 0).length },
    }),
    afterRemoval: mean(records.flatMap(({ afterRemoval }) => afterRemoval)),
    seconds: mean(records.map(({ seconds }) => seconds)),
    teacherSeconds: mean(records.map(({ teacherSeconds }) => teacherSeconds)),
    steps: mean(records.map(({ steps }) => steps)),
  };
}

const HEADINGS = [
  'kept by',
  'validation',
  'against plain',
  'better',
  'right after removal',
  'test',
  'training',
  'teacher',
];

export function presentReport({ recipe, unpruned, macsRemoved, variants, seeds }: KeepingReport): Presentation {
  const rows = variants.map(
    ({ variant, validationAccuracy, testAccuracy, gain, afterRemoval, seconds, teacherSeconds }) => [
      variant,
      percent(validationAccuracy.mean) + deviation(validationAccuracy.standardDeviation),
      gain && variant !== 'plain' ? signed(gain.mean) + deviation(gain.standardDeviation) : '-',
      gain && variant !== 'plain' ? `${gain.better} of ${gain.seeds}` : '-',
      percent(afterRemoval),
      percent(testAccuracy.mean) + deviation(testAccuracy.standardDeviation),
      `${seconds.toFixed(0)} s`,
      teacherSeconds > 0 ? `${teacherSeconds.toFixed(0)} s` : '-',
    ],
  );
  const tuned = `${recipe.fineTuneEpochs} epoch(s) after each removal, ${recipe.finalTuneEpochs} after the last`;
  const text = [
    `VGG-11, width ${recipe.width}, CIFAR-10, ${seeds.length} seed(s): ${percent(mean(macsRemoved))} of the MACs removed by the same plans; ${tuned}`,
    `Unpruned, after ${recipe.epochs} epochs: test ${percent(unpruned.mean)}${deviation(unpruned.standardDeviation)}`,
    '',
    formatTable(HEADINGS, rows),
    '',
    'Differences are of validation accuracy, in points, between runs of the same seed; ± is the standard deviation over seeds.',
  ].join('\n');
  const accuracies = plot({
    title: 'Test accuracy by what keeps it',
    x: { label: 'seed' },
    y: { label: 'test accuracy' },
    series: variants.map(({ variant }) => ({
      name: variant,
      points: seeds.flatMap(({ seed, variants: { [variant]: own } }) =>
        own ? [[seed, own.testAccuracy] as const] : [],
      ),
    })),
  });
  return { text, plots: { accuracies } };
}
