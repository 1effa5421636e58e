import { percent, points, signed } from '../format.ts';
import type { Machine } from '../machine.ts';
import { mean, type Spread, spread } from '../statistics.ts';
import { formatTable } from '../table.ts';
import type { Setup, Variant } from './protocol.ts';
import type { SeedRecords } from './records.ts';

export interface VariantSummary {
  readonly variant: Variant;
  readonly testAccuracy: Spread;
  /** Accuracy minus that of 'plain' with the same seed; absent where no seed has both. */
  readonly gain?: Spread & { readonly seeds: number; readonly better: number };
  /** Test accuracy right after a removal, over all removals. */
  readonly afterRemoval: number;
  readonly seconds: number;
  readonly teacherSeconds: number;
  readonly steps: number;
}

/** What `bench keeping --json` prints. */
export interface KeepingReport {
  readonly setup: Setup;
  readonly machine: Machine;
  readonly unpruned: Spread;
  /** Share of the MACs that went, by seed. */
  readonly macsRemoved: readonly number[];
  readonly variants: readonly VariantSummary[];
  readonly seeds: readonly SeedRecords[];
}

export function buildReport({
  setup,
  machine,
  seeds,
  variants,
}: {
  setup: Setup;
  machine: Machine;
  seeds: readonly SeedRecords[];
  variants: readonly Variant[];
}): KeepingReport {
  return {
    setup,
    machine,
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
    plain && own ? [own.testAccuracy - plain.testAccuracy] : [],
  );
  return {
    variant,
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

const HEADINGS = ['kept by', 'test accuracy', 'against plain', 'better', 'right after removal', 'training', 'teacher'];

export function formatReport({ setup, machine, unpruned, macsRemoved, variants, seeds }: KeepingReport): string {
  const rows = variants.map(({ variant, testAccuracy, gain, afterRemoval, seconds, teacherSeconds }) => [
    variant,
    `${percent(testAccuracy.mean)} ± ${points(testAccuracy.standardDeviation)}`,
    gain && variant !== 'plain' ? `${signed(gain.mean)} ± ${points(gain.standardDeviation)}` : '-',
    gain && variant !== 'plain' ? `${gain.better} of ${gain.seeds}` : '-',
    percent(afterRemoval),
    `${seconds.toFixed(0)} s`,
    teacherSeconds > 0 ? `${teacherSeconds.toFixed(0)} s` : '-',
  ]);
  const tuned = `${setup.fineTuneEpochs} epoch(s) after each removal, ${setup.finalTuneEpochs} after the last`;
  return [
    `VGG-11, width ${setup.width}, CIFAR-10, ${seeds.length} seed(s): ${percent(mean(macsRemoved))} of the MACs removed by the same plans; ${tuned}`,
    `${machine.cpu}, ${machine.processors} processors, Node.js ${machine.node}`,
    `Unpruned, after ${setup.epochs} epochs: ${percent(unpruned.mean)} ± ${points(unpruned.standardDeviation)}`,
    '',
    formatTable(HEADINGS, rows),
    '',
    'Differences are in points, between runs of the same seed; ± is the standard deviation over seeds.',
  ].join('\n');
}
