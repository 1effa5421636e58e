import type { ChannelGraph } from '../graph/channel-graph.ts';
import type { FilterRef } from './select-filters.ts';

/** Which filters go. Plain JSON: it can be printed, stored, and replayed on a fresh copy of the model it was made for. */
export interface PruningPlan {
  readonly version: 1;
  /** Filter indices by layer name, ascending; layers that lose nothing are absent. */
  readonly remove: Readonly<Record<string, readonly number[]>>;
}

/** @param filters For example `removed` of a selection, in any order. */
export function createPlan(filters: readonly FilterRef[]): PruningPlan {
  const remove = new Map<string, number[]>();
  for (const { layer, filter } of filters) remove.set(layer, [...(remove.get(layer) ?? []), filter]);
  return {
    version: 1,
    remove: Object.fromEntries([...remove].map(([layer, indices]) => [layer, indices.sort((a, b) => a - b)])),
  };
}

/**
 * Checks a plan, for example one read from a file, against the network that it is to be applied to.
 *
 * @throws Error that names the layer, when the plan is not of version 1, or names a layer that does not exist or is frozen,
 * a filter that does not exist or appears twice, or all filters of a layer.
 */
export function validatePlan(plan: unknown, graph: ChannelGraph): PruningPlan {
  const { version, remove } = requireObject(plan, 'A pruning plan');
  if (version !== 1)
    throw new Error(`A pruning plan must have version 1, but this one has ${JSON.stringify(version)}.`);
  for (const [layer, filters] of Object.entries(requireObject(remove, "The pruning plan's 'remove'"))) {
    validateFilters(filters, layer, countRemovable(layer, graph));
  }
  return plan as PruningPlan;
}

function countRemovable(layer: string, graph: ChannelGraph): number {
  const group = graph.groups.find((candidate) => candidate.layer === layer);
  if (group) return group.filters;
  const prunable = `Layers that can lose filters: ${graph.groups.map((candidate) => candidate.layer).join(', ') || 'none'}.`;
  const frozen = graph.frozen.find((candidate) => candidate.layer === layer);
  if (frozen) {
    throw new Error(
      `The pruning plan removes filters of '${layer}', which are frozen: '${layer}' ${frozen.reason}. ${prunable}`,
    );
  }
  const node = graph.nodes.find((candidate) => candidate.name === layer);
  if (node) {
    throw new Error(
      `The pruning plan removes filters of '${layer}', but a ${node.className} layer has none. ${prunable}`,
    );
  }
  throw new Error(`The pruning plan names layer '${layer}', which the model does not have. ${prunable}`);
}

function validateFilters(filters: unknown, layer: string, count: number): void {
  if (!Array.isArray(filters)) {
    throw new Error(
      `The pruning plan must list filter numbers for layer '${layer}', but has ${JSON.stringify(filters)}.`,
    );
  }
  const seen = new Set<unknown>();
  for (const filter of filters as unknown[]) {
    if (!Number.isInteger(filter) || (filter as number) < 0 || (filter as number) >= count) {
      throw new Error(
        `The pruning plan removes filter ${JSON.stringify(filter)} of layer '${layer}', whose filters are 0 to ${count - 1}.`,
      );
    }
    if (seen.has(filter)) throw new Error(`The pruning plan removes filter ${filter} of layer '${layer}' twice.`);
    seen.add(filter);
  }
  if (seen.size === count) {
    throw new Error(`The pruning plan removes all ${count} filters of layer '${layer}'; at least one must stay.`);
  }
}

function requireObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${what} must be an object, but is ${JSON.stringify(value)}.`);
  }
  return value as Record<string, unknown>;
}
