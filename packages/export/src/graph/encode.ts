import type { onnx as Onnx } from 'onnx-proto';
import { version } from '../version.ts';
import type { Attribute, Initializer, OnnxGraph, OpNode } from './onnx-graph.ts';
import { onnx } from './proto.ts';

export const PRODUCER = 'secateur';

/** The operator sets that can be written, and the oldest IR version that may name each of them. */
const IR_VERSIONS: ReadonlyMap<number, number> = new Map([
  [17, 8],
  [18, 8],
  [19, 9],
  [20, 9],
  [21, 10],
  [22, 10],
  [23, 11],
  [24, 12],
  [25, 13],
  [26, 13],
]);

/** Loads, in IR 8, in every onnxruntime from 1.14 on. */
export const DEFAULT_OPSET = 17;

/** @throws Error when this version of ONNX's operator set cannot be written. */
export function checkOpset(opset: number): void {
  if (IR_VERSIONS.has(opset)) return;
  const known = [...IR_VERSIONS.keys()];
  throw new Error(`Expected opset to be a whole number from ${known[0]} to ${known.at(-1)}, but got ${opset}.`);
}

/** A graph input or output; dimensions given by name are dynamic. */
export interface Port {
  readonly name: string;
  readonly dims: readonly (number | string)[];
  /** Type of its numbers; absent: float32. */
  readonly type?: 'uint8';
}

export interface ModelParts {
  readonly name: string;
  readonly graph: OnnxGraph;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly properties: Readonly<Record<string, string>>;
}

/** A protobuf message has at most 2^31 - 1 bytes; nodes and names need some of them. */
export const MOST_INLINE_BYTES = 2 ** 31 - 2 ** 20;

/** Puts a graph into an ONNX ModelProto, which shares its weights. */
export function toModelProto({ name, graph, inputs, outputs, properties }: ModelParts): Onnx.IModelProto {
  return {
    irVersion: IR_VERSIONS.get(graph.opset)!,
    producerName: PRODUCER,
    producerVersion: version,
    opsetImport: [{ domain: '', version: graph.opset }],
    metadataProps: Object.entries(properties).map(([key, value]) => ({ key, value })),
    graph: {
      name,
      node: graph.nodes.map(encodeNode),
      initializer: [...graph.initializers].map(([tensor, initializer]) => encodeTensor(tensor, initializer)),
      input: inputs.map(encodePort),
      output: outputs.map(encodePort),
    },
  };
}

export function weightBytes(model: Onnx.IModelProto): number {
  return (model.graph?.initializer ?? []).reduce((sum, { rawData }) => sum + (rawData?.length ?? 0), 0);
}

/**
 * Writes an ONNX ModelProto.
 *
 * @throws Error when its weights are too large for one file.
 */
export function encode(model: Onnx.IModelProto): Uint8Array {
  const bytes = weightBytes(model);
  if (bytes > MOST_INLINE_BYTES) {
    throw new Error(
      `Expected weights of at most ${MOST_INLINE_BYTES} bytes, which is what one ONNX file holds, but they take ${bytes}. Use writeOnnx, which puts them into a file of their own.`,
    );
  }
  // A copy: protobufjs hands out Node Buffers, whose memory may be a pool's and whose slice() does not copy.
  return new Uint8Array(onnx.ModelProto.encode(model).finish());
}

function encodeNode({ name, opType, inputs, output, attributes }: OpNode): Onnx.INodeProto {
  const attribute = Object.entries(attributes).map(([key, value]) => ({ name: key, ...encodeAttribute(value) }));
  return { name, opType, input: inputs, output: [output], attribute };
}

function encodeAttribute(attribute: Attribute): Onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if ('int' in attribute) return { type: AttributeType.INT, i: attribute.int };
  if ('ints' in attribute) return { type: AttributeType.INTS, ints: [...attribute.ints] };
  if ('string' in attribute) return { type: AttributeType.STRING, s: new TextEncoder().encode(attribute.string) };
  return { type: AttributeType.FLOAT, f: attribute.float };
}

function encodeTensor(name: string, { data, dims }: Initializer): Onnx.ITensorProto {
  const { FLOAT, INT64 } = onnx.TensorProto.DataType;
  return {
    name,
    dims: [...dims],
    dataType: data instanceof Float32Array ? FLOAT : INT64,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

function encodePort({ name, dims, type }: Port): Onnx.IValueInfoProto {
  const { FLOAT, UINT8 } = onnx.TensorProto.DataType;
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: type === 'uint8' ? UINT8 : FLOAT, shape: { dim } } } };
}
