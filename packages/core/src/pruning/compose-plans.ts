import { requirePlan } from './parse-plan.ts';
import { type PruningPlan, planOf } from './pruning-plan.ts';

/**
 * One plan for the first network that does what the given ones do one after the other.
 *
 * @param plans In order; each refers to the network that the one before left.
 * @returns The same removals in the filter numbers of the first network.
 * @throws Error when one of them is no plan (see `parsePlan`).
 */
export function composePlans(plans: readonly PruningPlan[]): PruningPlan {
  const removed = new Map<string, number[]>();
  for (const plan of plans) {
    for (const [layer, filters] of Object.entries(requirePlan(plan).remove)) {
      const before = removed.get(layer) ?? [];
      const original = filters.map((filter) => originalNumber(filter, before));
      removed.set(
        layer,
        [...before, ...original].sort((a, b) => a - b),
      );
    }
  }
  return planOf(removed);
}

/** @param removed Ascending numbers of the filters that were removed before. */
function originalNumber(filter: number, removed: readonly number[]): number {
  return removed.reduce((number, gone) => (gone <= number ? number + 1 : number), filter);
}
