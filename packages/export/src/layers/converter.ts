import type { LayerNode } from '@secateur/core';
import type { Attributes, Initializer } from '../graph/onnx-graph.ts';

/** What a layer computed, as the ONNX graph knows it. */
export interface Value {
  readonly name: string;
  /** Without the batch: [channels, height, width] for images, [features] for vectors. */
  readonly shape: readonly number[];
  /**
   * Present on flattened images, whose features ONNX lists channel by channel and TensorFlow pixel by pixel:
   * ONNX feature i is TensorFlow feature featureOrder[i].
   */
  readonly featureOrder?: Int32Array | undefined;
}

/** What a converter sees and may do while it writes one layer. */
export interface LayerContext {
  readonly node: LayerNode;
  /** The layer's inputs, in argument order. */
  readonly inputs: readonly [Value, ...Value[]];
  /** The layer's output shape in ONNX order, without the batch. */
  readonly outputShape: readonly number[];
  /** Reads a weight by the name that the layer gave it, such as `kernel`. The data must not be changed. */
  weight(name: string): Promise<Float32Array>;
  /** Adds a constant named `<layer>/<name>` and returns its name in the graph. */
  constant(name: string, data: Initializer['data'], dims: readonly number[]): string;
  /** Adds a node and returns its output. The layer's main node carries the layer's name, others `<layer>/<part>`. */
  op(opType: string, inputs: readonly string[], options?: { attributes?: Attributes; part?: string }): string;
}

/** How one layer class is written to ONNX. */
export interface LayerConverter {
  /** Says why this layer, as configured, has no ONNX form; undefined when it has one. */
  refuse?(node: LayerNode): string | undefined;
  /** Whether `convert` copes with inputs that carry a `featureOrder`; otherwise they are put in order before. */
  readonly takesAnyFeatureOrder?: boolean;
  /** Writes the layer's nodes; returns the output's name, with its `featureOrder` where that differs from TensorFlow's. */
  convert(context: LayerContext): Promise<Output> | Output;
}

export type Output = string | Pick<Value, 'name' | 'featureOrder'>;

export function configOf<Config>(node: LayerNode): Config {
  return node.layer.getConfig() as unknown as Config;
}

export function refuseChannelsFirst(node: LayerNode): string | undefined {
  const { dataFormat } = configOf<{ dataFormat?: string }>(node);
  return dataFormat === 'channelsFirst' ? "dataFormat 'channelsFirst'; build the model with 'channelsLast'" : undefined;
}
