import type { ChannelGraph, FilterRef } from '../graph/channel-graph.ts';
import { unitOfFilter } from './fit-plan.ts';

/** Which filters go. Plain JSON: it can be printed, stored, and replayed on a fresh copy of the model it was made for. */
export interface PruningPlan {
  readonly version: 1;
  /** Filter numbers by layer name, ascending; layers that lose nothing are absent. */
  readonly remove: Readonly<Record<string, readonly number[]>>;
}

export interface CreatePlanOptions {
  /** Adds the filters that can only go together with the given ones. */
  readonly graph?: ChannelGraph;
}

/**
 * @param filters For example `removed` of a selection, in any order.
 * @throws Error when one of them cannot go, if there is a graph to ask.
 */
export function createPlan(filters: readonly FilterRef[], { graph }: CreatePlanOptions = {}): PruningPlan {
  const complete = graph ? filters.flatMap(({ layer, filter }) => unitOfFilter(layer, filter, graph).filters) : filters;
  const remove = new Map<string, Set<number>>();
  for (const { layer, filter } of complete) remove.set(layer, (remove.get(layer) ?? new Set()).add(filter));
  return planOf(remove);
}

/** The plan that removes these filters, in whatever order they come. */
export function planOf(remove: ReadonlyMap<string, Iterable<number>>): PruningPlan {
  return {
    version: 1,
    remove: Object.fromEntries([...remove].map(([layer, filters]) => [layer, [...filters].sort((a, b) => a - b)])),
  };
}
