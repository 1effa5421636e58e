import type { LayersModel } from '@tensorflow/tfjs-layers';
import { countCost, type NetworkCost } from '../cost/count-cost.ts';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import { applyPlan } from '../pruning/apply-plan.ts';
import { createPlan, type PruningPlan } from '../pruning/pruning-plan.ts';
import type { Selection } from '../pruning/select-filters.ts';

export interface PrunedNetwork {
  /** What went of the selection. */
  readonly selection: Selection;
  readonly plan: PruningPlan;
  /** The caller's to dispose. */
  readonly model: LayersModel;
  readonly cost: NetworkCost;
}

/**
 * Removes the selected filters, but no more than it takes: where `isEnough` holds before all are gone, those that would go
 * last stay.
 */
export async function pruneUpTo(
  model: LayersModel,
  selection: Selection,
  { graph, isEnough }: { readonly graph: ChannelGraph; readonly isEnough: (cost: NetworkCost) => boolean },
): Promise<PrunedNetwork> {
  const removeFirst = async (filters: number): Promise<PrunedNetwork> => {
    const removed = selection.removed.slice(0, filters);
    const plan = createPlan(removed);
    const pruned = await applyPlan(model, plan, { graph });
    return { selection: { ...selection, removed }, plan, model: pruned, cost: countCost(pruned) };
  };
  let result = await removeFirst(selection.removed.length);
  let tooFew = 0;
  while (isEnough(result.cost) && result.selection.removed.length - tooFew > 1) {
    const fewer = await removeFirst(Math.floor((tooFew + result.selection.removed.length) / 2));
    if (isEnough(fewer.cost)) {
      result.model.dispose();
      result = fewer;
    } else {
      fewer.model.dispose();
      tooFew = fewer.selection.removed.length;
    }
  }
  return result;
}
