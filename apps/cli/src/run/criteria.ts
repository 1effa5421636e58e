import { CRITERIA, CRITERION_KINDS, type Criterion, type CriterionKind } from '@secateur/core';
import { UsageError } from '../exit.ts';

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
  const kinds = CRITERION_KINDS.filter((other) => name in CRITERIA[other]);
  throw new UsageError(`--${name} belongs to the criterion ${kinds.join(' and ')}, but the criterion is ${kind}.`);
}
