import type { LayersModel } from '@tensorflow/tfjs-layers';
import { channelCount, type ProducerKind, type ProducerRule } from './layer-rule.ts';
import { ruleOf } from './layer-rules.ts';
import { type LayerNode, readNodes } from './nodes.ts';

/** Which filters of a model can be removed, and what else changes when they go. */
export interface ChannelGraph {
  /** Every layer after its inputs; the last one is the model's output. */
  readonly nodes: readonly LayerNode[];
  /** In the order in which their layers compute. */
  readonly groups: readonly ChannelGroup[];
  /** Layers with filters that have to stay, and why. */
  readonly frozen: readonly FrozenLayer[];
}

/** One filter of one layer: output channel of a convolution, unit of a dense layer, head of an attention layer. */
export interface FilterRef {
  readonly layer: string;
  readonly filter: number;
}

/** Units over the same layers. Removing a unit removes all of its filters and what every member holds for its channel. */
export interface ChannelGroup {
  /** The first of its producing layers; with '#2', '#3', ... where several groups start with the same one. */
  readonly name: string;
  /** Layers whose filters go, in the order in which they compute. */
  readonly producers: readonly string[];
  readonly units: readonly ChannelUnit[];
  /** Every layer that the channels touch, in the order in which they compute. */
  readonly members: readonly GroupMember[];
  /** @deprecated Going away: `name`. */
  readonly layer: string;
  /** @deprecated Going away: `units.length`. */
  readonly filters: number;
}

/** Filters that can only go together, by layer and then number; most often it is one. */
export interface ChannelUnit {
  readonly filters: readonly FilterRef[];
}

export interface GroupMember {
  readonly layer: string;
  readonly role: 'produces' | 'joins' | 'passes' | 'consumes';
}

export interface FrozenLayer {
  readonly layer: string;
  /** Reads on from the layer's name: "'stem_conv' feeds the addition 'block1_add'". */
  readonly reason: string;
  /** Which of its filters, where others of the layer can go. */
  readonly filters?: readonly number[];
}

export interface ReadGraphOptions {
  /** Whose filters may go: convolutions (the paper's choice), the units of hidden dense layers, or both. */
  readonly kinds?: readonly ProducerKind[];
}

/**
 * Reads which channels of a model hang together. A layer's filters form a group when their channels reach nothing but
 * layers that pass them on one by one and layers that consume them; otherwise the layer is frozen. A layer class that the
 * graph does not know freezes what feeds it.
 *
 * @throws Error when the model has several inputs or outputs, or uses one layer in several places.
 */
export function readGraph(model: LayersModel, { kinds = ['conv'] }: ReadGraphOptions = {}): ChannelGraph {
  const nodes = readNodes(model);
  const users = readUsers(nodes);
  const groups: ChannelGroup[] = [];
  const frozen: FrozenLayer[] = [];
  for (const node of nodes) {
    const rule = ruleOf(node.className);
    if (rule?.flow !== 'produce') continue;
    const outcome = follow(node, rule, users, kinds);
    if (typeof outcome === 'string') frozen.push({ layer: node.name, reason: outcome });
    else {
      const { name } = node;
      const units = Array.from({ length: channelCount(node) }, (_, filter) => ({ filters: [{ layer: name, filter }] }));
      groups.push({
        name,
        producers: [name],
        units,
        members: inOrder(outcome, nodes),
        layer: name,
        filters: units.length,
      });
    }
  }
  return { nodes, groups, frozen };
}

type Users = ReadonlyMap<LayerNode, readonly LayerNode[]>;

function readUsers(nodes: readonly LayerNode[]): Users {
  const users = new Map<LayerNode, LayerNode[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) {
    for (const input of node.inputs) users.get(input)!.push(node);
  }
  return users;
}

/** Follows the producer's channels forward: the members of its group, or the reason why it is frozen. */
function follow(
  producer: LayerNode,
  rule: ProducerRule,
  users: Users,
  kinds: readonly ProducerKind[],
): GroupMember[] | string {
  if (users.get(producer)!.length === 0) return "is the model's output";
  if (!kinds.includes(rule.kind)) return `is of kind '${rule.kind}', and only ${kinds.join(' and ')} layers are pruned`;
  const own = rule.filtersStay?.(producer);
  if (own) return own;

  const members: GroupMember[] = [{ layer: producer.name, role: 'produces' }];
  const open = [producer];
  for (let node = open.pop(); node; node = open.pop()) {
    const readers = users.get(node)!;
    if (readers.length === 0) return `reaches the model's output through '${node.name}'`;
    for (const user of readers) {
      const userRule = ruleOf(user.className);
      if (!userRule)
        return `feeds layer '${user.name}' of class ${user.className}, which the channel graph does not know`;
      const obstacle = userRule.obstacle?.(user);
      if (obstacle) return `feeds layer '${user.name}' (${user.className}), which ${obstacle}`;
      switch (userRule.flow) {
        case 'join':
          return `feeds the ${userRule.noun} '${user.name}'`;
        case 'produce':
          members.push({ layer: user.name, role: 'consumes' });
          break;
        case 'pass':
          members.push({ layer: user.name, role: 'passes' });
          open.push(user);
          break;
        default:
          userRule satisfies never;
      }
    }
  }
  return members;
}

function inOrder(members: readonly GroupMember[], nodes: readonly LayerNode[]): GroupMember[] {
  const place = new Map(nodes.map((node, index) => [node.name, index]));
  return members.toSorted((a, b) => place.get(a.layer)! - place.get(b.layer)!);
}
