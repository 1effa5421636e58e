import type { Criterion, CriterionKind } from '@secateur/core';
import { UsageError } from '../exit.ts';

/** Each kind of criterion with its usual setting. */
export const CRITERIA: Readonly<Record<CriterionKind, Criterion>> = {
  reference: { kind: 'reference', tau: 0 },
  quantile: { kind: 'quantile', quantile: 0.75 },
  relative: { kind: 'relative', rho: 0.5 },
  graded: { kind: 'graded', rho: 0.5 },
  taylor: { kind: 'taylor' },
  'mean-activation': { kind: 'mean-activation' },
  apoz: { kind: 'apoz' },
  'l1-norm': { kind: 'l1-norm' },
  'l2-norm': { kind: 'l2-norm' },
  'batch-norm-scale': { kind: 'batch-norm-scale' },
  'geometric-median': { kind: 'geometric-median' },
  random: { kind: 'random', seed: 0 },
};

export const CRITERION_NAMES = Object.keys(CRITERIA) as CriterionKind[];

/** What the kinds with a number take, each by its name. */
export interface CriterionSettings {
  readonly tau?: number | undefined;
  readonly rho?: number | undefined;
  readonly quantile?: number | undefined;
}

/**
 * A kind with its usual setting, but for what is given.
 *
 * @throws UsageError when a setting is given that this kind does not have.
 */
export function criterionOf(kind: CriterionKind, settings: CriterionSettings): Criterion {
  const criterion = CRITERIA[kind];
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const foreign = given.find(([name]) => !(name in criterion));
  if (!foreign) return { ...criterion, ...Object.fromEntries(given) };
  const [name] = foreign;
  const kinds = CRITERION_NAMES.filter((other) => name in CRITERIA[other]);
  throw new UsageError(`--${name} belongs to the criterion ${kinds.join(' and ')}, but the criterion is ${kind}.`);
}
