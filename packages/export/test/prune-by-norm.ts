import { applyPlan, createPlan, rankByShare, readGraph, scoreFilters, selectFilters } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** Without three of ten filters of every layer that can lose some, those with the smallest weights. */
export async function pruneByNorm(model: LayersModel): Promise<LayersModel> {
  const graph = readGraph(model);
  const scores = await scoreFilters(model, undefined, {
    criterion: { kind: 'l1-norm' },
    layers: graph.groups.flatMap(({ producers }) => producers),
  });
  const { removed } = selectFilters(rankByShare(scores, { groups: graph.groups }), {
    strategy: 'percentage',
    scope: 'layer',
    maxFraction: 0.3,
    layerSizes: graph.filters,
  });
  return applyPlan(model, createPlan(removed, { graph }));
}
