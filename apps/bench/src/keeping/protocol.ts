import type { KeepingOptions, PruningOptions } from '@secateur/core';
import { tunings } from '../study/quickstart.ts';

/** What is done to keep accuracy; 'all' is everything at once. */
export const VARIANTS = ['plain', 'recalibrate', 'distillation', 'momentum', 'rewind', 'all'] as const;

export type Variant = (typeof VARIANTS)[number];

/** What all variants have in common. Results made with another setup must not be mixed with these. */
export interface Setup {
  /** Factor on the widths of VGG-11. */
  readonly width: number;
  /** Take only so many training and test images of each class; absent: all. */
  readonly perClass?: number;
  readonly testPerClass?: number;
  /** Of the unpruned network; after each removal but the last; after the last. */
  readonly epochs: number;
  readonly fineTuneEpochs: number;
  readonly finalTuneEpochs: number;
  /** Share of the MACs to remove. */
  readonly target: number;
  /** Batches to recalibrate on. */
  readonly batches: number;
  readonly teacherWeight: number;
  readonly temperature: number;
}

// As the command line's preset quickstart.
export const SELECTION: Pick<PruningOptions, 'criterion' | 'selection'> = {
  criterion: { kind: 'graded', rho: 0.5 },
  selection: { strategy: 'percentage', maxFraction: 0.26, minFilters: 8, maxLayerFraction: 0.4, roundTo: 8 },
};

export function keepingOf(variant: Variant, setup: Setup): KeepingOptions {
  const { batches, teacherWeight: weight, temperature } = setup;
  const { schedule, epochs } = tunings(setup).base;
  const all = {
    recalibrate: { batches },
    distillation: { weight, temperature },
    keepMomentum: true,
    rewind: { schedule, epochs },
  };
  switch (variant) {
    case 'plain':
      return {};
    case 'recalibrate':
      return { recalibrate: all.recalibrate };
    case 'distillation':
      return { distillation: all.distillation };
    case 'momentum':
      return { keepMomentum: true };
    case 'rewind':
      return { rewind: all.rewind };
    case 'all':
      return all;
    default:
      return variant satisfies never;
  }
}
