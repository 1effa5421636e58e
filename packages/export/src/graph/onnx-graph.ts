export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly string: string };

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

/** The graph that a model becomes, before anything is in it. */
export interface GraphPorts {
  readonly inputs: readonly string[];
  /** Value names kept for the graph's outputs. */
  readonly reserved: readonly string[];
  /** Some operators take their operands in another way in later versions. */
  readonly opset: number;
}

/**
 * An ONNX graph while it is being written. Nodes stay in the order in which they compute; every node has one output.
 * Value names and node names are unique, each in their own namespace; a taken name gets a number appended.
 */
export class OnnxGraph {
  readonly opset: number;
  readonly nodes: OpNode[] = [];
  readonly initializers = new Map<string, Initializer>();
  /** The values that the graph computes. */
  outputs: string[] = [];
  readonly #valueNames: Set<string>;
  readonly #nodeNames = new Set<string>();

  constructor({ inputs, reserved, opset }: GraphPorts) {
    this.opset = opset;
    this.#valueNames = new Set([...inputs, ...reserved]);
  }

  /** A constant that is there already under this name, with the same numbers, is not written twice. */
  addInitializer(name: string, data: Initializer['data'], dims: readonly number[]): string {
    const known = this.initializers.get(name);
    if (known && equalTensors(known, { data, dims })) return name;
    const unique = claim(this.#valueNames, name);
    this.initializers.set(unique, { data, dims });
    return unique;
  }

  /** Gives this one reader a constant of its own where others read it too. */
  replaceInput(node: OpNode, index: number, { data, dims }: Initializer): void {
    const name = node.inputs[index]!;
    if (this.consumersOf(name).length > 1) node.inputs[index] = this.addInitializer(name, data, dims);
    else this.initializers.set(name, { data, dims });
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

  /** Whether a single node reads the value, and the graph does not give it out. */
  hasOneReader(value: string): boolean {
    return this.consumersOf(value).length === 1 && !this.outputs.includes(value);
  }

  /** Takes a node out; whoever read its output reads `replacement` instead. Constants that nobody reads any more go too. */
  bypass(node: OpNode, replacement: string): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.#redirect(node.output, replacement);
    for (const input of node.inputs) {
      if (this.consumersOf(input).length === 0) this.initializers.delete(input);
    }
  }

  /** Calls an output by one of the reserved names. */
  nameOutput(index: number, name: string): void {
    const value = this.outputs[index]!;
    const producer = this.producerOf(value);
    // Neither an input that is passed on nor a value that is given out twice can be renamed.
    if (!producer || this.outputs.slice(0, index).includes(value)) {
      const identity = this.producerOf(this.addNode(`${name}/identity`, 'Identity', [value]))!;
      identity.output = name;
      this.outputs[index] = name;
      return;
    }
    producer.output = name;
    this.#redirect(value, name);
  }

  #redirect(from: string, to: string): void {
    const renamed = (value: string) => (value === from ? to : value);
    for (const node of this.nodes) node.inputs = node.inputs.map(renamed);
    this.outputs = this.outputs.map(renamed);
  }
}

function equalTensors(a: Initializer, b: Initializer): boolean {
  return (
    a.data.constructor === b.data.constructor &&
    String(a.dims) === String(b.dims) &&
    a.data.every((value: number | bigint, i: number) => Object.is(value, b.data[i]))
  );
}

function claim(taken: Set<string>, wanted: string): string {
  let name = wanted;
  for (let count = 1; taken.has(name); count++) name = `${wanted}_${count}`;
  taken.add(name);
  return name;
}
