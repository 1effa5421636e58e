import type { LayerNode } from './nodes.ts';

/** What a layer class does with channels. The table in layer-rules.ts has one of these per class that is understood. */
export type LayerRule = ProducerRule | PassRule | JoinRule;

export type ProducerKind = 'conv' | 'dense';

/** The input's channels end here, in sums over all of them; the output's channels are the layer's own filters. */
export interface ProducerRule extends CommonRule {
  readonly flow: 'produce';
  readonly kind: ProducerKind;
  /** Field of the layer's config that holds the number of filters. */
  readonly sizeField: 'filters' | 'units';
  /** Why no filter of this layer can go, if so. Reads on from the layer's name. */
  filtersStay?(node: LayerNode): string | undefined;
}

/** Every channel goes on by itself. */
export interface PassRule extends CommonRule {
  readonly flow: 'pass';
  /** The output channels that the given input channels become; without it, the same ones. */
  outputsOf?(channels: readonly number[], node: LayerNode): readonly number[];
}

/** Channel i of the output takes channel i of every input, so all inputs must keep the same ones. */
export interface JoinRule extends CommonRule {
  readonly flow: 'join';
  /** For messages, for example 'addition'. */
  readonly noun: string;
}

interface CommonRule {
  /** Axes of each weight, by the last part of its name, that run along input or output channels. */
  readonly weights?: Readonly<Record<string, WeightAxes>>;
  /** Why channels that reach this layer cannot be followed, if so. Reads on from 'which '. */
  obstacle?(node: LayerNode): string | undefined;
  /** Without it, the layer costs nothing. */
  cost?(node: LayerNode): LayerCost;
}

export interface WeightAxes {
  readonly inputs?: number;
  readonly outputs?: number;
}

/** Of one image. */
export interface LayerCost {
  /** Multiply-accumulates of convolutions and dense layers, without biases. */
  readonly macs: number;
  /** As counted by `print_model_param_flops` (with multiply_adds) in the code published with arXiv 2312.05875. */
  readonly authorsFlops: number;
}

/** Number of values that the layer puts out for one image. */
export function outputSize(node: LayerNode): number {
  return node.outputShape.slice(1).reduce<number>((size, dimension) => {
    if (dimension === null) {
      throw new Error(
        `Layer '${node.name}' (${node.className}) has no fixed output size ([${node.outputShape.map((d) => d ?? 'null').join(', ')}]), so its cost is unknown. Build the model with a fixed input shape.`,
      );
    }
    return size * dimension;
  }, 1);
}

export function channelCount(node: LayerNode): number {
  return node.outputShape.at(-1)!;
}

export function channelsFirst({ layer }: LayerNode): string | undefined {
  return layer.getConfig().dataFormat === 'channelsFirst' ? 'keeps channels first' : undefined;
}

/** Cost of the activation that a layer applies to its own output. */
export function activationFlops(node: LayerNode): number {
  return node.layer.getConfig().activation === 'relu' ? outputSize(node) : 0;
}

/** A softmax couples all channels, so that none can go without moving the others. */
export function softmaxOf({ layer }: LayerNode): string | undefined {
  const { activation } = layer.getConfig();
  return activation === 'softmax' || activation === 'logSoftmax' ? 'applies softmax across its channels' : undefined;
}
