import type { ChannelGraph } from '../graph/channel-graph.ts';
import { channelCount, type LayerRule } from '../graph/layer-rule.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import type { LayerNode } from '../graph/nodes.ts';
import { type PruningPlan, validatePlan } from './pruning-plan.ts';

/** The channels of a layer that stay, ascending; undefined where all of them do. */
export interface KeptChannels {
  readonly inputs: readonly number[] | undefined;
  readonly outputs: readonly number[] | undefined;
}

/**
 * Carries a plan through the network: what each layer, by name, still reads and puts out.
 *
 * @throws Error when the plan does not fit the graph (see `validatePlan`).
 */
export function keptChannels(graph: ChannelGraph, plan: PruningPlan): ReadonlyMap<string, KeptChannels> {
  validatePlan(plan, graph);
  const removed = new Map<LayerNode, readonly number[]>();
  const kept = new Map<string, KeptChannels>();
  for (const node of graph.nodes) {
    // Inputs of a join lose the same channels, so the first stands for all.
    const [input] = node.inputs;
    const removedInputs = input ? removed.get(input)! : [];
    const removedOutputs = outputsWithout(removedInputs, node, { rule: ruleOf(node.className), plan });
    removed.set(node, removedOutputs);
    kept.set(node.name, { inputs: input && rest(removedInputs, input), outputs: rest(removedOutputs, node) });
  }
  return kept;
}

function outputsWithout(
  channels: readonly number[],
  node: LayerNode,
  { rule, plan }: { rule: LayerRule | undefined; plan: PruningPlan },
): readonly number[] {
  switch (rule?.flow) {
    case 'produce':
      return plan.remove[node.name] ?? [];
    case 'pass':
      return rule.outputsOf?.(channels, node) ?? channels;
    case 'join':
    case undefined:
      // The graph lets no removal get here.
      return channels;
    default:
      return rule satisfies never;
  }
}

function rest(removed: readonly number[], node: LayerNode): number[] | undefined {
  if (removed.length === 0) return undefined;
  const gone = new Set(removed);
  return Array.from({ length: channelCount(node) }, (_, channel) => channel).filter((channel) => !gone.has(channel));
}
