import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { onnx as Onnx } from 'onnx-proto';
import { InferenceSession } from 'onnxruntime-node';
import { decodeModel } from '../src/graph/decode.ts';
import { onnx } from '../src/graph/proto.ts';

const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

/** Integers, lists of them, `{ float }`, text, or tensors. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number } | FileTensor;

export interface FileTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | readonly bigint[] | BigInt64Array;
}

export interface NodeSketch {
  readonly op: string;
  readonly name?: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export interface GraphSketch {
  readonly opset?: number;
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly constants?: Readonly<Record<string, Onnx.ITensorProto>>;
  readonly nodes: readonly NodeSketch[];
  /** Without types and shapes: onnxruntime infers them. */
  readonly outputs: readonly string[];
}

/** Writes a small ONNX file by hand; inputs are float32. */
export function sketch({ opset = 17, inputs = {}, constants = {}, nodes, outputs }: GraphSketch): Uint8Array {
  return new Uint8Array(
    onnx.ModelProto.encode({
      irVersion: 8,
      opsetImport: [{ domain: '', version: opset }],
      graph: {
        name: 'sketch',
        node: nodes.map(({ op, name, domain, inputs: read, outputs: written = [`${op}:0`], attributes = {} }, i) => ({
          name: name ?? `${op}${i}`,
          domain: domain ?? '',
          opType: op,
          input: [...read],
          output: [...written],
          attribute: Object.entries(attributes).map(([name, value]) => ({ name, ...attributeOf(value) })),
        })),
        initializer: Object.entries(constants).map(([name, tensor]) => ({ name, ...tensor })),
        input: Object.entries(inputs).map(([name, dims]) => ({
          name,
          type: {
            tensorType: {
              elemType: DataType.FLOAT,
              shape: { dim: dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size })) },
            },
          },
        })),
        output: outputs.map((name) => ({ name })),
      },
    }).finish(),
  );
}

export type FileNode = Omit<NodeSketch, 'inputs'> & { readonly inputs?: readonly string[] };

export interface File {
  readonly nodes: readonly FileNode[];
  readonly tensors?: Readonly<Record<string, FileTensor>>;
  /** Of each input; names are open sizes. */
  readonly input?: readonly (number | string)[];
  /** Default: `x`. */
  readonly inputs?: readonly string[];
  /** Default: `y`. */
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

/** A sketch from images `x` to `y`: a node without inputs reads `x`, one without outputs writes `y`. */
export function onnxFile({
  nodes,
  tensors = {},
  input = ['batch', 3, 8, 8],
  inputs = ['x'],
  outputs = ['y'],
  opset = 17,
}: File): Uint8Array {
  return sketch({
    opset,
    inputs: Object.fromEntries(inputs.map((name) => [name, input])),
    constants: Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensorProto(tensor)])),
    nodes: nodes.map((node, index) => ({ name: `${node.op}_${index}`, inputs: ['x'], outputs: ['y'], ...node })),
    outputs,
  });
}

export function floats(dims: readonly number[], value: (index: number) => number): FileTensor {
  const length = dims.reduce((product, size) => product * size, 1);
  return { dims, data: Float32Array.from({ length }, (_, i) => value(i)) };
}

export function integers(...values: readonly number[]): FileTensor {
  return { dims: [values.length], data: BigInt64Array.from(values, BigInt) };
}

export function int64(...values: readonly number[]): Onnx.ITensorProto {
  return tensorProto(integers(...values));
}

export function float32(dims: readonly number[], value = 0.5): Onnx.ITensorProto {
  return tensorProto(floats(dims, () => value));
}

function tensorProto({ dims, data }: FileTensor): Onnx.ITensorProto {
  const values = data instanceof Float32Array ? data : BigInt64Array.from(data);
  return {
    dims: [...dims],
    dataType: data instanceof Float32Array ? DataType.FLOAT : DataType.INT64,
    rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

/** The same file with every value that a node writes among its outputs. */
export function showEveryValue(bytes: Uint8Array): Uint8Array {
  const model = decodeModel(bytes);
  const graph = model.graph!;
  const known = new Set(graph.output!.map(({ name }) => name));
  const written = graph.node!.flatMap(({ output }) => output!).filter((name) => name !== '' && !known.has(name));
  graph.output!.push(...written.map((name) => ({ name })));
  return new Uint8Array(onnx.ModelProto.encode(model).finish());
}

export function editModel(
  bytes: Uint8Array,
  edit: (graph: Onnx.IGraphProto, model: Onnx.ModelProto) => void,
): Uint8Array {
  const model = decodeModel(bytes);
  edit(model.graph!, model);
  return new Uint8Array(onnx.ModelProto.encode(model).finish());
}

function attributeOf(value: AttributeValue): Onnx.IAttributeProto {
  if (typeof value === 'number') return { type: AttributeType.INT, i: value };
  if (typeof value === 'string') return { type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { type: AttributeType.FLOAT, f: value.float };
  if ('data' in value) return { type: AttributeType.TENSOR, t: tensorProto(value) };
  return { type: AttributeType.INTS, ints: [...value] };
}

/** The operators that are left when onnxruntime has optimised a file for this machine, in order. */
export async function operatorsThatRun(bytes: Uint8Array): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'secateur-optimised-'));
  const optimizedModelFilePath = join(directory, 'optimised.onnx');
  try {
    const session = await InferenceSession.create(bytes, { optimizedModelFilePath, logSeverityLevel: 4 });
    await session.release();
    return decodeModel(await readFile(optimizedModelFilePath)).graph!.node!.map(({ opType }) => opType!);
  } finally {
    await rm(directory, { recursive: true });
  }
}
