import type { LayersModel } from '@tensorflow/tfjs-layers';
import { countCost, type NetworkCost } from '../cost/count-cost.ts';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import { applyPlan } from '../pruning/apply-plan.ts';
import { createPlan, type PruningPlan } from '../pruning/pruning-plan.ts';
import type { Selection } from '../pruning/select-filters.ts';
import { isReached, type TargetGauge, type TargetState } from './target.ts';

export interface PrunedNetwork {
  /** What went of the selection. */
  readonly selection: Selection;
  readonly plan: PruningPlan;
  /** The caller's to dispose. */
  readonly model: LayersModel;
  readonly cost: NetworkCost;
  readonly target?: TargetState;
}

/**
 * Removes the selected filters, but no more than the target takes: where it is reached before all are gone, those that would
 * go last stay.
 */
export async function pruneUpTo(
  model: LayersModel,
  selection: Selection,
  { graph, gauge }: { readonly graph: ChannelGraph; readonly gauge?: TargetGauge | undefined },
): Promise<PrunedNetwork> {
  const { stops } = selection;
  const removeUpTo = async (stop: number): Promise<PrunedNetwork> => {
    const taken = upToStop(selection, stop);
    const plan = createPlan(taken.removed);
    const pruned = await applyPlan(model, plan, { graph });
    const cost = countCost(pruned);
    try {
      const target = await gauge?.measure({ model: pruned, cost });
      return { selection: taken, plan, model: pruned, cost, ...(target && { target }) };
    } catch (error) {
      pruned.dispose();
      throw error;
    }
  };
  let [tooFew, enough] = [-1, stops.length - 1];
  let result = await removeUpTo(enough);
  try {
    while (result.target && isReached(result.target) && enough - tooFew > 1) {
      const middle = Math.floor((tooFew + enough) / 2);
      const fewer = await removeUpTo(middle);
      if (isReached(fewer.target!)) {
        result.model.dispose();
        [result, enough] = [fewer, middle];
      } else {
        fewer.model.dispose();
        tooFew = middle;
      }
    }
  } catch (error) {
    result.model.dispose();
    throw error;
  }
  return result;
}

/** The first part of a selection that has no more than so many filters, but at least as many as have to go together. */
export function atMostFilters(selection: Selection, filters: number): Selection {
  return upToStop(
    selection,
    Math.max(
      0,
      selection.stops.findLastIndex((stop) => stop <= filters),
    ),
  );
}

function upToStop(selection: Selection, stop: number): Selection {
  const { removed, stops } = selection;
  return { ...selection, removed: removed.slice(0, stops[stop]), stops: stops.slice(0, stop + 1) };
}
