import type { ChannelGraph, ChannelUnit } from '../graph/channel-graph.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import { requirePlan } from './parse-plan.ts';
import type { PruningPlan } from './pruning-plan.ts';

/**
 * Checks a plan, for example one read from a file, against the network that it is to be applied to.
 *
 * @throws Error that names the layer and the filter, when the value is no plan (see `parsePlan`), names a layer or filter
 * that does not exist or is frozen, leaves out one that can only go together with another, or leaves a layer empty.
 */
export function validatePlan(plan: unknown, graph: ChannelGraph): PruningPlan {
  const checked = requirePlan(plan);
  unitsOfPlan(checked, graph);
  return checked;
}

/** The units that a plan removes. Throws as `validatePlan` does. */
export function unitsOfPlan(plan: PruningPlan, graph: ChannelGraph): ReadonlySet<ChannelUnit> {
  const removed = new Map(
    Object.entries(requirePlan(plan).remove).map(([layer, filters]) => [layer, new Set(filters)]),
  );
  const units = new Set<ChannelUnit>();
  for (const [layer, filters] of removed) {
    for (const filter of filters) {
      const unit = unitOfFilter(layer, filter, graph);
      const missing = unit.filters.find((other) => !removed.get(other.layer)?.has(other.filter));
      if (missing) {
        throw new Error(
          `The pruning plan removes filter ${filter} of layer '${layer}', but not filter ${missing.filter} of layer '${missing.layer}', and they can only go together. ` +
            'Remove both or none; createPlan completes a plan when it is given the graph.',
        );
      }
      units.add(unit);
    }
    const all = filtersOf(layer, graph).length;
    if (filters.size === all) {
      throw new Error(`The pruning plan removes all ${all} filters of layer '${layer}'; at least one must stay.`);
    }
  }
  refuseEmptyLayers(units, graph);
  return units;
}

/**
 * The unit that a filter belongs to.
 *
 * @throws Error when the layer or filter does not exist or is frozen.
 */
export function unitOfFilter(layer: string, filter: number, graph: ChannelGraph): ChannelUnit {
  const filters = filtersOf(layer, graph);
  if (!Number.isInteger(filter) || filter < 0 || filter >= filters.length) {
    throw new Error(
      `The pruning plan removes filter ${filter} of layer '${layer}', whose filters are 0 to ${filters.length - 1}.`,
    );
  }
  const unit = filters[filter];
  if (unit) return unit;
  const reason = graph.frozen.find(
    (frozen) => frozen.layer === layer && (frozen.filters === undefined || frozen.filters.includes(filter)),
  )!.reason;
  throw new Error(
    `The pruning plan removes filter ${filter} of layer '${layer}', which is frozen: '${layer}' ${reason}. ${removable(graph)}`,
  );
}

/** For each filter of a layer the unit that it goes with; undefined where it stays. */
function filtersOf(layer: string, graph: ChannelGraph): readonly (ChannelUnit | undefined)[] {
  const nodes = graph.nodes.filter(({ name }) => name === layer);
  for (const node of nodes) {
    const rule = ruleOf(node.className)?.filters;
    const filters = rule && graph.axes.get(node.layer)?.get(rule.axis);
    if (filters) return filters;
  }
  const [node] = nodes;
  throw new Error(
    node
      ? `The pruning plan removes filters of '${layer}', but a ${node.className} layer has none. ${removable(graph)}`
      : `The pruning plan names layer '${layer}', which the model does not have. ${removable(graph)}`,
  );
}

function removable({ groups }: ChannelGraph): string {
  const layers = [...new Set(groups.flatMap(({ producers }) => producers))];
  return `Layers that can lose filters: ${layers.join(', ') || 'none'}.`;
}

/** A layer whose channels all go with filters of others must keep one as well. */
function refuseEmptyLayers(removed: ReadonlySet<ChannelUnit>, { nodes, axes }: ChannelGraph): void {
  for (const { layer, className, name } of nodes) {
    const inWeights = new Set(Object.values(ruleOf(className)?.weights ?? {}).flatMap((weight) => Object.keys(weight)));
    for (const [axis, units] of axes.get(layer) ?? []) {
      if (!inWeights.has(axis) || !units.every((unit) => unit && removed.has(unit))) continue;
      throw new Error(
        `The pruning plan leaves nothing of layer '${name}' (${className}): all of its ${axis} would go. Keep one.`,
      );
    }
  }
}
