import type { LayerNode } from '@secateur/core';
import type { Attributes, Initializer } from '../graph/onnx-graph.ts';
import type { Layout } from './layout.ts';

/** What a layer computed, as the ONNX graph knows it. */
export interface Value {
  readonly name: string;
  /** In TensorFlow's order, channels last, without the batch. */
  readonly shape: readonly number[];
  /** The order of the axes in the graph. */
  readonly layout: Layout;
  /**
   * Present on flattened images, whose features ONNX lists channel by channel and TensorFlow pixel by pixel:
   * ONNX feature i is TensorFlow feature featureOrder[i].
   */
  readonly featureOrder?: Int32Array | undefined;
}

/**
 * How a layer wants its inputs: in one layout, with vectors in TensorFlow's order; `alike`, all in one layout and order,
 * whichever costs least; or as they come.
 */
export type Reads = Layout | 'alike' | 'any';

export interface OpOptions {
  readonly attributes?: Attributes;
  readonly part?: string;
}

/** What a converter sees and may do while it writes one layer. */
export interface LayerContext {
  readonly node: LayerNode;
  /** The layer's inputs, in argument order. */
  readonly inputs: readonly [Value, ...Value[]];
  /** In TensorFlow's order, without the batch. */
  readonly outputShape: readonly number[];
  /** Reads a weight by the name that the layer gave it, such as `kernel`. The data must not be changed. */
  weight(name: string): Promise<Float32Array>;
  /** Adds a constant named `<layer>/<name>` and returns its name in the graph. */
  constant(name: string, data: Initializer['data'], dims: readonly number[]): string;
  /** Adds a list of integers, such as axes or a shape. */
  integers(name: string, values: readonly number[]): string;
  /** Adds a node and returns its output. The layer's main node carries the layer's name, others `<layer>/<part>`. */
  op(opType: string, inputs: readonly string[], options?: OpOptions): string;
  /** Adds a reduction over axes of the graph that stay with size 1. */
  reduce(opType: string, input: string, axes: readonly number[], part: string): string;
  /** The value in another layout; vectors in TensorFlow's order. */
  lay(value: Value, layout: Layout): Value;
}

/** How one layer class is written to ONNX. */
export interface LayerConverter {
  /** Says why this layer, as configured, has no ONNX form; undefined when it has one. */
  refuse?(node: LayerNode): string | undefined;
  /** Default `channelsFirst`. */
  readonly reads?: Reads | ((node: LayerNode) => Reads);
  /** Writes the layer's nodes. */
  convert(context: LayerContext): Promise<Output> | Output;
}

/** The output's name; where it is not the first input's, also its layout, and its `featureOrder` if it has one. */
export type Output = string | (Pick<Value, 'name'> & Partial<Pick<Value, 'layout' | 'featureOrder'>>);

export function configOf<Config>(node: LayerNode): Config {
  return node.layer.getConfig() as unknown as Config;
}

export function refuseChannelsFirst(node: LayerNode): string | undefined {
  const { dataFormat } = configOf<{ dataFormat?: string }>(node);
  return dataFormat === 'channelsFirst' ? "dataFormat 'channelsFirst'; build the model with 'channelsLast'" : undefined;
}
