import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { ChannelGraph } from '../graph/channel-graph.ts';
import { unitsOfPlan } from './fit-plan.ts';
import type { PruningPlan } from './pruning-plan.ts';

/** Positions that stay, ascending, along each axis that the layer's rule names. */
export type KeptPositions = ReadonlyMap<string, readonly number[]>;

/**
 * What a plan leaves of each layer; layers that lose nothing are absent.
 *
 * @throws Error when the plan does not fit the graph (see `validatePlan`).
 */
export function keptChannels(graph: ChannelGraph, plan: PruningPlan): ReadonlyMap<Layer, KeptPositions> {
  const removed = unitsOfPlan(plan, graph);
  const kept = new Map<Layer, KeptPositions>();
  for (const [layer, axes] of graph.axes) {
    let changed = false;
    const positions = new Map<string, readonly number[]>();
    for (const [axis, units] of axes) {
      const left = units.flatMap((unit, position) => (unit && removed.has(unit) ? [] : [position]));
      changed ||= left.length < units.length;
      positions.set(axis, left);
    }
    if (changed) kept.set(layer, positions);
  }
  return kept;
}
