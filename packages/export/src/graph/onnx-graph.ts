export type Attribute = { readonly int: number } | { readonly ints: readonly number[] } | { readonly float: number };

export type Attributes = Readonly<Record<string, Attribute>>;

/** A constant tensor: weights (float32) or shapes and axes (int64). */
export interface Initializer {
  readonly data: Float32Array | BigInt64Array;
  readonly dims: readonly number[];
}

export interface OpNode {
  readonly name: string;
  readonly opType: string;
  inputs: string[];
  output: string;
  attributes: Attributes;
}

/**
 * An ONNX graph while it is being written. Nodes stay in the order in which they compute; every node has one output.
 * Value names and node names are unique, each in their own namespace; a taken name gets a number appended.
 */
export class OnnxGraph {
  readonly nodes: OpNode[] = [];
  readonly initializers = new Map<string, Initializer>();
  /** The value that the graph computes; until something is written, its input. */
  output: string;
  readonly #valueNames: Set<string>;
  readonly #nodeNames = new Set<string>();

  /** `reserved` are value names kept for the graph's output. */
  constructor(input: string, reserved: readonly string[]) {
    this.output = input;
    this.#valueNames = new Set([input, ...reserved]);
  }

  addInitializer(name: string, data: Initializer['data'], dims: readonly number[]): string {
    const unique = claim(this.#valueNames, name);
    this.initializers.set(unique, { data, dims });
    return unique;
  }

  /** Puts a node at the given position, by default last; returns the name of its output. */
  addNode(
    name: string,
    opType: string,
    inputs: readonly string[],
    attributes: Attributes = {},
    position = this.nodes.length,
  ): string {
    const output = claim(this.#valueNames, name);
    const node = { name: claim(this.#nodeNames, name), opType, inputs: [...inputs], output, attributes };
    this.nodes.splice(position, 0, node);
    return output;
  }

  producerOf(value: string): OpNode | undefined {
    return this.nodes.find((node) => node.output === value);
  }

  consumersOf(value: string): OpNode[] {
    return this.nodes.filter((node) => node.inputs.includes(value));
  }

  /** Takes a node out; whoever read its output reads `replacement` instead. Constants that nobody reads any more go too. */
  bypass(node: OpNode, replacement: string): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.#redirect(node.output, replacement);
    for (const input of node.inputs) {
      if (this.consumersOf(input).length === 0) this.initializers.delete(input);
    }
  }

  /** Calls the output by one of the reserved names. */
  renameOutput(name: string): void {
    // A network that passes its input on has no node whose output could be renamed.
    const producer =
      this.producerOf(this.output) ?? this.producerOf(this.addNode('identity', 'Identity', [this.output]))!;
    const previous = producer.output;
    producer.output = name;
    this.output = name;
    this.#redirect(previous, name);
  }

  #redirect(from: string, to: string): void {
    for (const node of this.nodes) node.inputs = node.inputs.map((input) => (input === from ? to : input));
    if (this.output === from) this.output = to;
  }
}

function claim(taken: Set<string>, wanted: string): string {
  let name = wanted;
  for (let count = 1; taken.has(name); count++) name = `${wanted}_${count}`;
  taken.add(name);
  return name;
}
