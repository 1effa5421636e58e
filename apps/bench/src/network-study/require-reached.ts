import { percent } from '../format.ts';

/** Removals end within a filter's MACs of their target; what is further from it was not reached. */
const SLACK = 0.02;

/** @throws Error when less was removed than the target says: results at a target are compared as if all had reached it. */
export function requireReached(
  target: number,
  { base, pruned }: { readonly base: { readonly macs: number }; readonly pruned: { readonly macs: number } },
  name: string,
): void {
  const removed = 1 - pruned.macs / base.macs;
  if (removed >= target - SLACK) return;
  throw new Error(
    `${name}: expected ${percent(target)} of the MACs to be removed, but only ${percent(removed)} could be. Lower the target or --min-filters, or raise --max-layer-fraction or the number of removals.`,
  );
}
