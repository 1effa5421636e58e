import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { LayerCost } from '../graph/layer-rule.ts';
import { ruleOf } from '../graph/layer-rules.ts';
import { type LayerNode, readNetwork } from '../graph/nodes.ts';

/** What a network costs for one image. All numbers are exact integers. */
export interface NetworkCost extends LayerCost {
  /** Trainable parameters: kernels, biases, batch-norm scale and shift; not the moving statistics. */
  readonly parameters: number;
  readonly layers: readonly LayerReport[];
  /** Layers of a class without a known cost; they count 0 operations here. */
  readonly uncounted: readonly UncountedLayer[];
}

export interface LayerReport extends LayerCost {
  readonly name: string;
  readonly className: string;
  /** [batch (null), ...] */
  readonly outputShape: readonly (number | null)[];
  readonly parameters: number;
}

export interface UncountedLayer {
  readonly layer: string;
  readonly className: string;
}

const NOTHING: LayerCost = { macs: 0, authorsFlops: 0 };

/**
 * Counts parameters and multiply-accumulates (FLOPs are 2 MACs), layer by layer, with those of nested models. A layer that is
 * used in several places is listed for each; its parameters count for the first.
 *
 * @throws Error when a layer's input or output has no fixed size.
 */
export function countCost(model: LayersModel): NetworkCost {
  const { nodes } = readNetwork(model);
  const firstOf = new Map(nodes.map((node) => [node.layer, node] as const).reverse());
  const layers = nodes.map((node) => report(node, firstOf.get(node.layer) === node));
  const total = (count: (layer: LayerReport) => number) => layers.reduce((sum, layer) => sum + count(layer), 0);
  return {
    parameters: total((layer) => layer.parameters),
    macs: total((layer) => layer.macs),
    authorsFlops: total((layer) => layer.authorsFlops),
    layers,
    uncounted: nodes
      .filter((node) => !ruleOf(node.className) && firstOf.get(node.layer) === node)
      .map(({ name, className }) => ({ layer: name, className })),
  };
}

function report(node: LayerNode, isFirst: boolean): LayerReport {
  const { name, className, outputShape, layer } = node;
  const parameters = (isFirst ? layer.trainableWeights : []).reduce(
    (sum, weight) => sum + weight.shape.reduce<number>((size, dimension) => size * dimension!, 1),
    0,
  );
  return { name, className, outputShape, parameters, ...(ruleOf(className)?.cost?.(node) ?? NOTHING) };
}
