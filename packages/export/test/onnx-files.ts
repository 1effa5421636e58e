import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { onnx as Onnx } from 'onnx-proto';
import { InferenceSession } from 'onnxruntime-node';
import { decodeModel } from '../src/graph/decode.ts';
import { onnx } from '../src/graph/proto.ts';

const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

export type AttributeValue = number | string | readonly number[] | { readonly float: number };

export interface NodeSketch {
  readonly op: string;
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
        node: nodes.map(({ op, inputs: read, outputs: written = [`${op}:0`], attributes = {} }, i) => ({
          name: `${op}${i}`,
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

export function int64(...values: readonly number[]): Onnx.ITensorProto {
  const data = BigInt64Array.from(values, BigInt);
  return { dataType: DataType.INT64, dims: [values.length], rawData: new Uint8Array(data.buffer) };
}

export function float32(dims: readonly number[], value = 0.5): Onnx.ITensorProto {
  const data = new Float32Array(dims.reduce((product, size) => product * size, 1)).fill(value);
  return { dataType: DataType.FLOAT, dims: [...dims], rawData: new Uint8Array(data.buffer) };
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
