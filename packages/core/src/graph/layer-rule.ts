import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Channels } from './channels.ts';
import type { LayerNode } from './nodes.ts';

/**
 * What a layer class does with channels; the table in layer-rules.ts has one for each class that is understood.
 *
 * A rule gives names to the axes along which channels lie in the layer's weights and config ('inputs', 'filters', ...).
 * `follow` says which channels lie along them, `weights` where the axes are, `resize` how the config follows their sizes.
 */
export interface LayerRule {
  /** Channels of the output of one application. */
  follow(step: FollowStep): Channels;
  /** What can be removed by number, if the layer has it. `follow` puts these channels along the axis with `make`. */
  readonly filters?: Filters;
  /** Why channels cannot be followed through this application, if so: reads on from 'which '. Then `follow` is not called. */
  obstacle?(node: LayerNode): string | undefined;
  /** Why no filter of this layer can go, if so: reads on from the layer's name. */
  filtersStay?(node: LayerNode): string | undefined;
  /** For each weight, by the end of its name: the axes that channels lie along, counted from the last (-1). */
  readonly weights?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Fields of the layer's config that change, given the new size of each axis. */
  resize?(sizes: Readonly<Record<string, number>>, layer: Layer): Readonly<Record<string, unknown>>;
  /** Without it, the layer costs nothing. */
  cost?(node: LayerNode): LayerCost;
}

export type ProducerKind = (typeof PRODUCER_KINDS)[number];
export const PRODUCER_KINDS = ['conv', 'dense', 'attention'] as const;

export interface Filters {
  readonly kind: ProducerKind;
  readonly axis: string;
  count(layer: Layer): number;
  /** Where a filter's channels do not leave the layer: how many each filter has in what the layer's first operation puts out. */
  channelsInside?(layer: Layer): number;
}

/** One application of a layer, and what can be said about its channels. */
export interface FollowStep {
  readonly node: LayerNode;
  /** Channels of each input. */
  readonly inputs: readonly Channels[];
  /** Channels that begin at this layer, the same ones at each of its applications. */
  make(axis: string, count: number): Channels;
  /** Says which channels lie along an axis. Several applications of a layer couple theirs. */
  lay(axis: string, channels: Channels): void;
  /**
   * Couples channel i of each list: they can only go together.
   *
   * @param why Reads on from the name of a layer that produces the channels: "feeds the addition 'sum'".
   */
  couple(lists: readonly Channels[], why: string): void;
  /** @param what The layer does with them: reads on from 'which '. */
  freeze(channels: Channels, what: string): void;
}

/** Of one image. */
export interface LayerCost {
  /** Multiply-accumulates of convolutions, dense and attention layers, without biases. */
  readonly macs: number;
  /**
   * As counted by `print_model_param_flops` (with multiply_adds) in the code published with arXiv 2312.05875, and by the
   * same rules for layers that it does not have.
   */
  readonly authorsFlops: number;
}

/** Number of values that the layer puts out for one image. */
export function outputSize(node: LayerNode): number {
  return sizeOf(node, node.outputShape, 'output');
}

/** Number of values that the layer reads for one image, from its first input. */
export function inputSize(node: LayerNode): number {
  return sizeOf(node, node.inputShapes[0]!, 'input');
}

function sizeOf(node: LayerNode, shape: LayerNode['outputShape'], what: string): number {
  return shape.slice(1).reduce<number>((size, dimension) => {
    if (dimension === null) {
      throw new Error(
        `Layer '${node.name}' (${node.className}) has no fixed ${what} size ([${shape.map((d) => d ?? 'null').join(', ')}]), so its cost is unknown. Build the model with a fixed input shape.`,
      );
    }
    return size * dimension;
  }, 1);
}

export function channelsFirst({ layer }: LayerNode): string | undefined {
  return layer.getConfig().dataFormat === 'channelsFirst' ? 'keeps channels first' : undefined;
}

/** A softmax couples all channels, so that none can go without moving the others. */
export function softmaxOf({ layer }: LayerNode): string | undefined {
  const { activation } = layer.getConfig();
  return activation === 'softmax' || activation === 'logSoftmax' ? 'applies softmax across its channels' : undefined;
}

/** Axes as a config has them (one or several, also counted from the end), counted from the start. */
export function axesOf(axis: number | readonly number[], { inputShapes }: LayerNode): number[] {
  const rank = inputShapes[0]!.length;
  return [axis].flat().map((number) => (number < 0 ? rank + number : number));
}

export function isChannelAxis(axis: number, { inputShapes }: LayerNode): boolean {
  return axis === inputShapes[0]!.length - 1;
}

/** Each channel as often as given, one after the other: [a, b] twice is [a, a, b, b]. */
export function repeatEach(channels: Channels, times: number): Channels {
  return channels.flatMap((channel) => Array.from({ length: times }, () => channel));
}

/** The list as often as given: [a, b] twice is [a, b, a, b]. */
export function repeatAll(channels: Channels, times: number): Channels {
  return Array.from({ length: times }, () => channels).flat();
}

/** Cost of convolutions and dense layers: every output sums `perOutput` products. */
export function sumOfProducts(node: LayerNode, perOutput: number): LayerCost {
  const outputs = outputSize(node);
  return { macs: perOutput * outputs, authorsFlops: 2 * perOutput * outputs + biasFlops(node) + activationFlops(node) };
}

export function biasFlops(node: LayerNode): number {
  return node.layer.getConfig().useBias === false ? 0 : outputSize(node);
}

/** Cost of the activation that a layer applies to its own output. */
export function activationFlops(node: LayerNode): number {
  return node.layer.getConfig().activation === 'relu' ? outputSize(node) : 0;
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((size, factor) => size * factor, 1);
}
