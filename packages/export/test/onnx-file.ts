import { onnx } from '../src/graph/proto.ts';

type Numbers = Float32Array | readonly bigint[] | BigInt64Array;

export interface FileTensor {
  readonly dims: readonly number[];
  readonly data: Numbers;
}

export interface FileNode {
  readonly op: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  /** Integers, lists of them, `{ float }`, text, or tensors. */
  readonly attributes?: Readonly<
    Record<string, number | readonly number[] | { readonly float: number } | string | FileTensor>
  >;
}

export interface File {
  readonly nodes: readonly FileNode[];
  readonly tensors?: Readonly<Record<string, FileTensor>>;
  /** Of `x`, which is the input unless `inputs` say otherwise; names are open sizes. */
  readonly input?: readonly (number | string)[];
  readonly inputs?: readonly string[];
  /** Default: `y`. */
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

/** Writes any graph to ONNX, also one that no exporter would. A node without inputs reads `x`, one without outputs writes `y`. */
export function onnxFile({
  nodes,
  tensors = {},
  input = ['batch', 3, 8, 8],
  inputs = ['x'],
  outputs = ['y'],
  opset = 17,
}: File): Uint8Array {
  const port = (name: string, dims: readonly (number | string)[]) => ({
    name,
    type: {
      tensorType: {
        elemType: 1,
        shape: { dim: dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size })) },
      },
    },
  });
  const model = {
    irVersion: 8,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'file',
      node: nodes.map(
        ({ op, inputs: reads = ['x'], outputs: writes = ['y'], name, domain, attributes = {} }, index) => ({
          opType: op,
          name: name ?? `${op}_${index}`,
          domain: domain ?? '',
          input: [...reads],
          output: [...writes],
          attribute: Object.entries(attributes).map(([key, value]) => ({ name: key, ...attribute(value) })),
        }),
      ),
      initializer: Object.entries(tensors).map(([name, tensor]) => ({ name, ...tensorProto(tensor) })),
      input: inputs.map((name) => port(name, input)),
      output: outputs.map((name) => port(name, [])),
    },
  };
  for (const { type } of model.graph.output) type.tensorType.shape = undefined as never;
  return new Uint8Array(onnx.ModelProto.encode(model).finish());
}

export function floats(dims: readonly number[], value: (index: number) => number): FileTensor {
  const count = dims.reduce((size, factor) => size * factor, 1);
  return { dims, data: Float32Array.from({ length: count }, (_, i) => value(i)) };
}

export function integers(...values: readonly number[]): FileTensor {
  return { dims: [values.length], data: BigInt64Array.from(values, BigInt) };
}

function attribute(value: NonNullable<FileNode['attributes']>[string]) {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { type: AttributeType.INT, i: value };
  if (typeof value === 'string') return { type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { type: AttributeType.FLOAT, f: value.float };
  if ('data' in value) return { type: AttributeType.TENSOR, t: tensorProto(value) };
  return { type: AttributeType.INTS, ints: [...value] };
}

function tensorProto({ dims, data }: FileTensor) {
  const { FLOAT, INT64 } = onnx.TensorProto.DataType;
  const values = data instanceof Float32Array ? data : BigInt64Array.from(data);
  return {
    dims: [...dims],
    dataType: data instanceof Float32Array ? FLOAT : INT64,
    rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}
