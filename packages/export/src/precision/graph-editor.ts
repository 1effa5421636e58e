import type { onnx as Onnx } from 'onnx-proto';
import { encode } from '../graph/encode.ts';
import { onnx } from '../graph/proto.ts';
import { keys } from '../metadata.ts';

const { DataType, DataLocation } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

const FLOAT32_ACCURACY = 'accuracy_float32';

type TensorData = Float32Array | Int8Array | Uint8Array | Uint16Array | Int32Array;

/** Edits the graph of a decoded ONNX file in place. New names are made unique. */
export class GraphEditor {
  readonly model: Onnx.IModelProto;
  readonly graph: Onnx.IGraphProto;
  readonly #names: Set<string>;

  constructor(model: Onnx.IModelProto) {
    this.model = model;
    this.graph = model.graph!;
    const { node = [], initializer = [], input = [] } = this.graph;
    this.#names = new Set([
      ...node!.flatMap(({ name, output }) => [name ?? '', ...(output ?? [])]),
      ...[...initializer!, ...input!].map(({ name }) => name ?? ''),
    ]);
  }

  get nodes(): Onnx.INodeProto[] {
    return this.graph.node!;
  }

  get outputs(): string[] {
    return this.graph.output!.map(({ name }) => name!);
  }

  unique(wanted: string): string {
    let name = wanted;
    for (let count = 1; this.#names.has(name); count++) name = `${wanted}_${count}`;
    this.#names.add(name);
    return name;
  }

  constant(name: string): Onnx.ITensorProto | undefined {
    return this.graph.initializer!.find((tensor) => tensor.name === name);
  }

  addConstant(wanted: string, dataType: number, data: TensorData, dims: readonly number[]): string {
    const name = this.unique(wanted);
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.graph.initializer!.push({ name, dataType, dims: [...dims], rawData });
    return name;
  }

  producerOf(value: string): Onnx.INodeProto | undefined {
    return this.nodes.find(({ output }) => output?.includes(value));
  }

  consumersOf(value: string): Onnx.INodeProto[] {
    return this.nodes.filter(({ input }) => input?.includes(value));
  }

  /** Lets these nodes read `to` where they read `from`. */
  redirect(nodes: readonly Onnx.INodeProto[], from: string, to: string): void {
    for (const node of nodes) node.input = node.input!.map((name) => (name === from ? to : name));
  }

  /** Puts nodes right behind the one that writes `value`, or first when it is an input or a constant. */
  insertBehind(value: string, nodes: readonly Onnx.INodeProto[]): void {
    const producer = this.producerOf(value);
    this.nodes.splice(producer ? this.nodes.indexOf(producer) + 1 : 0, 0, ...nodes);
  }

  /** Takes out constants that no node reads and that are no output. */
  dropUnread(): void {
    const read = new Set([...this.nodes.flatMap(({ input }) => input ?? []), ...this.outputs]);
    this.graph.initializer = this.graph.initializer!.filter(({ name }) => read.has(name!));
  }

  /** States a fact in metadata_props, in place of what they said before. */
  note(key: string, value: string): void {
    const others = (this.model.metadataProps ?? []).filter((entry) => entry.key !== key);
    this.model.metadataProps = [...others, { key, value }];
  }

  /** What the file says of its accuracy was measured in float32, and is said of that from now on. */
  disownAccuracy(): void {
    const stated = this.model.metadataProps?.find((entry) => entry.key === keys.accuracy);
    if (stated) stated.key = FLOAT32_ACCURACY;
  }

  encode(): Uint8Array {
    return encode(this.model);
  }
}

export function intAttribute(name: string, value: number): Onnx.IAttributeProto {
  return { name, type: AttributeType.INT, i: value };
}

export function isFloat32({ dataType }: Onnx.ITensorProto): boolean {
  return dataType === DataType.FLOAT;
}

/**
 * The numbers of a float32 constant.
 *
 * @throws Error when they are not in the file.
 */
export function floatsOf(tensor: Onnx.ITensorProto): Float32Array {
  if (tensor.dataLocation === DataLocation.EXTERNAL) {
    throw new Error(`The weights '${tensor.name}' lie in another file; give the model by its path.`);
  }
  const { rawData, floatData } = tensor;
  if (!rawData?.length) return Float32Array.from(floatData ?? []);
  // A copy: the bytes need not begin at a multiple of four.
  return new Float32Array(new Uint8Array(rawData).buffer);
}
