import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import { ChannelIdentities, type Channels } from './channels.ts';
import type { FollowStep } from './layer-rule.ts';
import { ruleOf } from './layer-rules.ts';
import type { LayerNode, Network } from './nodes.ts';

/**
 * What to do with channels that can only go together, as those that meet in an addition: 'stay' leaves them in the network,
 * 'together' removes them from all layers at once.
 */
export type Coupling = (typeof COUPLINGS)[number];
export const COUPLINGS = ['stay', 'together'] as const;

export interface FollowedChannels {
  readonly identities: ChannelIdentities;
  /** Channels along each axis that the layer's rule names. */
  readonly axes: ReadonlyMap<Layer, ReadonlyMap<string, Channels>>;
  /** Of each node that is understood. */
  readonly outputs: ReadonlyMap<LayerNode, Channels>;
}

export interface FollowOptions {
  readonly coupling: Coupling;
  /** Whether what the model puts out has to stay. Default true. */
  readonly outputsStay?: boolean;
}

/** Follows channels from the layers that make them to those that sum over them, and finds out which are one. */
export function followChannels(
  { nodes, outputs: modelOutputs }: Network,
  { coupling, outputsStay = true }: FollowOptions,
): FollowedChannels {
  const identities = new ChannelIdentities();
  const axes = new Map<Layer, Map<string, Channels>>();
  const outputs = new Map<LayerNode, Channels>();
  const staying: (() => void)[] = [];

  for (const node of nodes) {
    const inputs = node.inputs.map((source, index) => outputs.get(source) ?? unknown(source, node.inputShapes[index]!));
    // Where the model's own inputs come from is no layer's doing.
    if (inputs.length === 0) continue;
    const step = stepAt(node, inputs);
    const rule = ruleOf(node.className);
    const trouble = rule ? rule.obstacle?.(node) : NOT_KNOWN;
    if (rule && trouble === undefined) {
      outputs.set(node, rule.follow(step));
    } else {
      for (const channels of inputs) step.freeze(channels, trouble!);
    }
    if (!rule?.filters) continue;
    const filters = step.make(rule.filters.axis, rule.filters.count(node.layer));
    const isFree = !outputsStay && modelOutputs.includes(node);
    const own = trouble ?? (isFree ? undefined : rule.filtersStay?.(node));
    if (own) staying.push(() => step.freeze(filters, own));
  }
  // That a layer is the output says more than what else holds its filters.
  for (const node of outputsStay ? modelOutputs : []) {
    const channels = outputs.get(node) ?? [];
    identities.freeze(channels, {
      layer: node.layer,
      itself: "is the model's output",
      others: `reaches the model's output through '${node.name}'`,
    });
  }
  for (const freeze of staying) freeze();
  return { identities, axes, outputs };

  /** Channels that nothing is known about. */
  function unknown(source: LayerNode, shape: LayerNode['outputShape']): Channels {
    const channels = identities.create(shape.at(-1) ?? 0);
    const trouble = ruleOf(source.className)?.obstacle?.(source) ?? NOT_KNOWN;
    const from =
      source.inputs.length === 0 ? `the model's input '${source.name}'` : `the output of ${what(source, trouble)}`;
    identities.freeze(channels, { layer: source.layer, itself: trouble, others: `meets ${from}` });
    return channels;
  }

  function stepAt(node: LayerNode, inputs: readonly Channels[]): FollowStep {
    const own = axes.get(node.layer) ?? new Map<string, Channels>();
    axes.set(node.layer, own);
    const freeze = (channels: Channels, trouble: string) =>
      identities.freeze(channels, { layer: node.layer, itself: trouble, others: `feeds ${what(node, trouble)}` });
    const couple = (lists: readonly Channels[], why: string) => {
      const [first = [], ...rest] = lists;
      for (const list of rest) {
        first.forEach((channel, index) => {
          const other = list[index]!;
          if (identities.classOf(channel) === identities.classOf(other)) return;
          if (coupling === 'together') identities.unite(channel, other);
          else identities.freeze([channel, other], { layer: node.layer, itself: why, others: why });
        });
      }
    };
    return {
      node,
      inputs,
      couple,
      freeze,
      make(axis, count) {
        const channels = own.get(axis) ?? identities.create(count);
        own.set(axis, channels);
        return channels;
      },
      lay(axis, channels) {
        const before = own.get(axis);
        if (before) couple([before, channels], `feeds layer '${node.name}', which is used in several places`);
        else own.set(axis, channels);
      },
    };
  }
}

const NOT_KNOWN = 'the channel graph does not know';

function what({ name, className }: LayerNode, trouble: string): string {
  return trouble === NOT_KNOWN
    ? `layer '${name}' of class ${className}, which ${trouble}`
    : `layer '${name}' (${className}), which ${trouble}`;
}
