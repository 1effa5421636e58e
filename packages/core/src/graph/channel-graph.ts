import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import { checkChoice } from '../check-option.ts';
import type { Channels } from './channels.ts';
import { COUPLINGS, type Coupling, type FollowedChannels, followChannels } from './follow-channels.ts';
import { PRODUCER_KINDS, type ProducerKind, softmaxOf } from './layer-rule.ts';
import { ruleOf } from './layer-rules.ts';
import { matchesAny } from './name-pattern.ts';
import { type LayerNode, type Network, readNetwork } from './nodes.ts';

/** Which filters of a model can be removed, and what else changes when they go. */
export interface ChannelGraph {
  /** Every application of a layer after its inputs, with those of nested models. */
  readonly nodes: readonly LayerNode[];
  /** In the order in which their first layers compute. */
  readonly groups: readonly ChannelGroup[];
  /** Layers with filters that have to stay, and why. */
  readonly frozen: readonly FrozenLayer[];
  /** Number of filters, frozen or not, of each layer that has some. */
  readonly filters: ReadonlyMap<string, number>;
  /** For surgery: what lies along the axes of a layer's weights and config, by the names that its rule gives them. */
  readonly axes: ReadonlyMap<Layer, LayerAxes>;
}

/** At each position along an axis the unit that it goes with; undefined where it stays. */
export type LayerAxes = ReadonlyMap<string, readonly (ChannelUnit | undefined)[]>;

/** One filter of one layer: output channel of a convolution, unit of a dense layer, head of an attention layer. */
export interface FilterRef {
  readonly layer: string;
  readonly filter: number;
}

/** Units over the same layers. Removing a unit removes all of its filters, and their channels from every member. */
export interface ChannelGroup {
  /** The first of its producing layers; with '#2', '#3', ... where several groups start with the same one. */
  readonly name: string;
  /** Layers whose filters go, in the order in which they compute. */
  readonly producers: readonly string[];
  readonly units: readonly ChannelUnit[];
  /** Every layer that the channels touch, in the order in which they compute. */
  readonly members: readonly GroupMember[];
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
  /**
   * Whose filters may go: convolutions (the paper's choice, and the default), units of hidden dense layers, heads of
   * attention layers. Coupled filters go where one of them is of such a kind.
   */
  readonly kinds?: readonly ProducerKind[];
  /** Default 'stay', as in the paper: of a residual block, only the inner convolutions lose filters. */
  readonly coupled?: Coupling;
  /** Layers to leave alone, by name; '*' stands for any characters, '?' for one. What is coupled with them stays too. */
  readonly ignore?: readonly string[];
}

/** Everything that can go at all: what a plan is checked against. */
export const ALL_REMOVABLE = {
  kinds: PRODUCER_KINDS,
  coupled: 'together',
} as const satisfies ReadGraphOptions;

/**
 * Reads which channels of a model hang together, through nested models and layers that are used in several places. Filters
 * whose channels reach something that cannot do without them, such as a layer class that the graph does not know, are
 * frozen.
 *
 * @throws Error when two layers with weights have the same name, a name in `ignore` fits no layer, or another option is none of its choices.
 */
export function readGraph(
  model: LayersModel,
  { kinds = ['conv'], coupled = 'stay', ignore = [] }: ReadGraphOptions = {},
): ChannelGraph {
  for (const kind of kinds) checkChoice('kinds', kind, PRODUCER_KINDS);
  checkChoice('coupled', coupled, COUPLINGS);
  const network = readNetwork(model);
  const { nodes } = network;
  const followed = followChannels(network, { coupling: coupled });
  const producers = findProducers(nodes, followed);
  refuseUnusedPatterns(ignore, nodes, model.name);
  keepIgnored(producers, followed, ignore);
  keepOtherKinds(producers, followed, kinds);
  return toGraph(nodes, followed, producers, unitsAmong(producers, followed));
}

/**
 * The graph of a classifier whose outputs may go, and the unit behind each of its outputs; undefined where it cannot go. A softmax layer
 * at the end is left out of the graph.
 */
export function readClassUnits(model: LayersModel): {
  graph: ChannelGraph;
  units: readonly (ChannelUnit | undefined)[];
} {
  const network = withoutSoftmax(readNetwork(model));
  const followed = followChannels(network, { coupling: 'together', outputsStay: false });
  const producers = findProducers(network.nodes, followed);
  const found = unitsAmong(producers, followed);
  const outputs = followed.outputs.get(network.outputs[0]!) ?? [];
  return {
    graph: toGraph(network.nodes, followed, producers, found),
    units: outputs.map((channel) => unitOf(channel, followed, found.units)),
  };
}

function withoutSoftmax({ nodes, outputs }: Network): Network {
  const [last] = outputs as readonly [LayerNode];
  const isSoftmax = last.className === 'Softmax' || (last.className === 'Activation' && softmaxOf(last) !== undefined);
  return isSoftmax ? { nodes: nodes.filter((node) => node !== last), outputs: last.inputs } : { nodes, outputs };
}

/** What can go, and what is in the way of the rest. */
interface Findings {
  readonly obstacles: ReadonlyMap<number, number>;
  readonly units: Units;
}

function unitsAmong(producers: readonly Producer[], followed: FollowedChannels): Findings {
  const obstacles = obstaclesByClass(followed);
  return { obstacles, units: findUnits(producers, followed, obstacles) };
}

function toGraph(
  nodes: readonly LayerNode[],
  followed: FollowedChannels,
  producers: readonly Producer[],
  { obstacles, units }: Findings,
): ChannelGraph {
  return {
    nodes,
    groups: findGroups(nodes, followed, units),
    frozen: listFrozen(producers, followed, obstacles),
    filters: new Map(producers.map(({ layer, filters }) => [layer.name, filters.length])),
    axes: new Map(
      [...followed.axes].map(([layer, axes]) => [
        layer,
        new Map(
          [...axes].map(([axis, channels]) => [axis, channels.map((channel) => unitOf(channel, followed, units))]),
        ),
      ]),
    ),
  };
}

interface Producer {
  readonly layer: Layer;
  readonly kind: ProducerKind;
  readonly filters: Channels;
}

function findProducers(nodes: readonly LayerNode[], { axes }: FollowedChannels): Producer[] {
  const producers = new Map<Layer, Producer>();
  for (const { layer, className } of nodes) {
    const rule = ruleOf(className)?.filters;
    const filters = rule && axes.get(layer)?.get(rule.axis);
    if (filters) producers.set(layer, { layer, kind: rule.kind, filters });
  }
  return [...producers.values()];
}

function refuseUnusedPatterns(ignore: readonly string[], nodes: readonly LayerNode[], model: string): void {
  const unused = ignore.find((pattern) => !nodes.some(({ name }) => matchesAny(name, [pattern])));
  if (unused === undefined) return;
  throw new Error(
    `Expected the layers to leave alone to be layers of '${model}', but '${unused}' is none and fits none. Its layers: ${nodes.map(({ name }) => name).join(', ')}.`,
  );
}

function keepIgnored(
  producers: readonly Producer[],
  { identities }: FollowedChannels,
  ignore: readonly string[],
): void {
  for (const { layer, filters } of producers) {
    if (!matchesAny(layer.name, ignore)) continue;
    const why = 'is among the layers to leave alone';
    identities.freeze(filters, { layer, itself: why, others: why });
  }
}

function keepOtherKinds(
  producers: readonly Producer[],
  { identities }: FollowedChannels,
  kinds: readonly ProducerKind[],
): void {
  const chosen = new Set(
    producers
      .filter(({ kind }) => kinds.includes(kind))
      .flatMap(({ filters }) => filters.map((filter) => identities.classOf(filter))),
  );
  for (const { layer, kind, filters } of producers) {
    const others = filters.filter((filter) => !chosen.has(identities.classOf(filter)));
    const why = `is of kind '${kind}', and only ${kinds.join(' and ')} layers are pruned`;
    identities.freeze(others, { layer, itself: why, others: why });
  }
}

/** For each class with channels that have to stay, the first of them. */
function obstaclesByClass({ identities }: FollowedChannels): ReadonlyMap<number, number> {
  const first = new Map<number, number>();
  for (const [channel] of identities.frozen) {
    const classOf = identities.classOf(channel);
    if (!first.has(classOf)) first.set(classOf, channel);
  }
  return first;
}

type Units = ReadonlyMap<number, ChannelUnit>;

function findUnits(
  producers: readonly Producer[],
  { identities }: FollowedChannels,
  obstacles: ReadonlyMap<number, number>,
): Units {
  const units = new Map<number, { filters: FilterRef[] }>();
  for (const { layer, filters } of producers) {
    filters.forEach((channel, filter) => {
      const classOf = identities.classOf(channel);
      if (obstacles.has(classOf)) return;
      const unit = units.get(classOf) ?? { filters: [] };
      unit.filters.push({ layer: layer.name, filter });
      units.set(classOf, unit);
    });
  }
  return units;
}

function unitOf(channel: number, { identities }: FollowedChannels, units: Units): ChannelUnit | undefined {
  return units.get(identities.classOf(channel));
}

function findGroups(nodes: readonly LayerNode[], followed: FollowedChannels, units: Units): ChannelGroup[] {
  const groups = new Map<string, { name: string; producers: string[]; units: ChannelUnit[]; members: GroupMember[] }>();
  const groupOf = new Map<ChannelUnit, string>();
  const names = new Map<string, number>();
  for (const unit of units.values()) {
    const producers = [...new Set(unit.filters.map(({ layer }) => layer))];
    const key = JSON.stringify(producers);
    groupOf.set(unit, key);
    const group = groups.get(key);
    if (group) {
      group.units.push(unit);
      continue;
    }
    const [first] = producers as [string];
    const count = (names.get(first) ?? 0) + 1;
    names.set(first, count);
    groups.set(key, { name: count === 1 ? first : `${first}#${count}`, producers, units: [unit], members: [] });
  }

  const groupsAmong = (channels: Channels | undefined) =>
    new Set((channels ?? []).flatMap((channel) => groupOf.get(unitOf(channel, followed, units)!) ?? []));
  const seen = new Set<string>();
  for (const node of nodes) {
    const { axes, outputs } = followed;
    const filterAxis = ruleOf(node.className)?.filters?.axis;
    const produced = groupsAmong(filterAxis === undefined ? [] : axes.get(node.layer)?.get(filterAxis));
    const put = groupsAmong(outputs.get(node));
    const read = node.inputs.map((input) => groupsAmong(outputs.get(input)));
    for (const [key, group] of groups) {
      const inputs = read.filter((keys) => keys.has(key)).length;
      const roles: GroupMember['role'][] = [];
      if (inputs > 0 && (produced.has(key) || !put.has(key))) roles.push('consumes');
      if (produced.has(key)) roles.push('produces');
      else if (put.has(key)) roles.push(inputs > 1 ? 'joins' : 'passes');
      for (const role of roles) {
        const member = JSON.stringify([key, node.name, role]);
        if (!seen.has(member)) group.members.push({ layer: node.name, role });
        seen.add(member);
      }
    }
  }
  return [...groups.values()];
}

function listFrozen(
  producers: readonly Producer[],
  { identities }: FollowedChannels,
  obstacles: ReadonlyMap<number, number>,
): FrozenLayer[] {
  const ownerOf = new Map(
    producers.flatMap(({ layer, filters }) => filters.map((channel) => [channel, layer] as const)),
  );
  return producers.flatMap(({ layer, filters }) => {
    const byReason = new Map<string, number[]>();
    filters.forEach((channel, filter) => {
      const frozen = obstacles.get(identities.classOf(channel));
      if (frozen === undefined) return;
      const own = identities.obstacleOf(channel);
      const obstacle = own ?? identities.obstacleOf(frozen)!;
      const owner = own ? layer : ownerOf.get(frozen);
      const text = owner === obstacle.layer ? obstacle.itself : obstacle.others;
      const reason = owner && owner !== layer ? `is coupled with '${owner.name}', which ${text}` : text;
      byReason.set(reason, [...(byReason.get(reason) ?? []), filter]);
    });
    const all = [...byReason.values()].some((some) => some.length === filters.length);
    return [...byReason].map(([reason, some]) =>
      all ? { layer: layer.name, reason } : { layer: layer.name, reason, filters: some },
    );
  });
}
