import type { Criterion, CriterionKind } from '@secateur/core';
import { InvalidArgumentError } from 'commander';

/** Each kind as it is compared when no setting is given. */
const CRITERIA: Readonly<Record<CriterionKind, Criterion>> = {
  reference: { kind: 'reference', tau: 0 },
  quantile: { kind: 'quantile', quantile: 0.75 },
  relative: { kind: 'relative', rho: 0.5 },
  graded: { kind: 'graded', rho: 0.5 },
  taylor: { kind: 'taylor' },
  'mean-activation': { kind: 'mean-activation' },
  apoz: { kind: 'apoz' },
  'l1-norm': { kind: 'l1-norm' },
  'l2-norm': { kind: 'l2-norm' },
  'geometric-median': { kind: 'geometric-median' },
  'batch-norm-scale': { kind: 'batch-norm-scale' },
  random: { kind: 'random', seed: 0 },
};

export const CRITERION_NAMES = Object.keys(CRITERIA) as CriterionKind[];

/** A criterion by its name, with a setting of its own behind '=': 'relative=0.25'. */
export function parseCriterion(text: string): Criterion {
  const [kind, value] = text.split('=') as [CriterionKind, string?];
  const criterion = CRITERIA[kind];
  if (!criterion) throw new InvalidArgumentError(`Expected one of ${CRITERION_NAMES.join(', ')}; got '${kind}'.`);
  if (value === undefined) return criterion;
  const [setting] = Object.keys(criterion).filter((key) => key !== 'kind');
  const number = Number(value);
  if (setting && value !== '' && Number.isFinite(number)) return { ...criterion, [setting]: number };
  throw new InvalidArgumentError(
    setting ? `Expected a number behind '${kind}='; got '${value}'.` : `'${kind}' has no setting; got '${value}'.`,
  );
}

/** The text itself, once it is known to name a criterion. */
export function checkedCriterion(text: string): string {
  parseCriterion(text);
  return text;
}

export function parseCriteria(text: string): string[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  names.forEach(parseCriterion);
  return names;
}
