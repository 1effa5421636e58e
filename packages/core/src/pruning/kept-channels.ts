import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import { unitsOfPlan } from './fit-plan.ts';
import type { PruningPlan } from './pruning-plan.ts';

/** Positions that stay, ascending, along each axis that the layer's rule names. */
export type KeptPositions = ReadonlyMap<string, readonly number[]>;

/**
 * What a plan leaves of each layer that has axes with channels.
 *
 * @throws Error when the plan does not fit the graph (see `validatePlan`).
 */
export function keptChannels(graph: ChannelGraph, plan: PruningPlan): ReadonlyMap<Layer, KeptPositions> {
  const removed = unitsOfPlan(plan, graph);
  const kept = new Map<Layer, KeptPositions>();
  for (const [layer, axes] of graph.axes) {
    const positions = new Map<string, readonly number[]>();
    for (const [axis, units] of axes) {
      positions.set(
        axis,
        units.flatMap((unit, position) => (unit && removed.has(unit) ? [] : [position])),
      );
    }
    kept.set(layer, positions);
  }
  return kept;
}
