import type { PruningPlan } from '@secateur/core';
import type { Setup, Variant } from './protocol.ts';

/** What a worker is asked for; it works in the folder of one seed. */
export type Task = { readonly setup: Setup; readonly seed: number; readonly folder: string; readonly data?: string } & (
  | { readonly kind: 'base' }
  | { readonly kind: 'plans' }
  | { readonly kind: 'variant'; readonly variant: Variant; readonly plans: readonly PruningPlan[] }
);

/** The unpruned network. */
export interface BaseRecord {
  readonly testAccuracy: number;
  readonly macs: number;
  readonly seconds: number;
}

/** What goes, decided once for all variants of a seed. */
export interface PlansRecord {
  readonly plans: readonly PruningPlan[];
  readonly macs: number;
}

export interface VariantRecord {
  readonly macs: number;
  /** Validation accuracy right after each removal, before any training. */
  readonly afterRemoval: readonly number[];
  readonly validationAccuracy: number;
  readonly testAccuracy: number;
  readonly steps: number;
  /** Of training, the teacher's passes included; without recalibration and tests. */
  readonly seconds: number;
  readonly teacherSeconds: number;
}

/** All that is known of one seed so far. */
export interface SeedRecords {
  readonly seed: number;
  readonly base: BaseRecord;
  readonly variants: Readonly<Partial<Record<Variant, VariantRecord>>>;
}
