import { CRITERIA, CRITERION_KINDS, type Criterion, type CriterionKind } from '@secateur/core';
import { InvalidArgumentError } from 'commander';

/** A criterion by its name, with a setting of its own behind '=': 'relative=0.25'. */
export function parseCriterion(text: string): Criterion {
  const [kind, value] = text.split('=') as [CriterionKind, string?];
  if (!Object.hasOwn(CRITERIA, kind)) {
    throw new InvalidArgumentError(`Expected one of ${CRITERION_KINDS.join(', ')}; got '${kind}'.`);
  }
  const criterion = CRITERIA[kind];
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
