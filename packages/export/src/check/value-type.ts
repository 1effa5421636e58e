import type { onnx as Onnx } from 'onnx-proto';
import { onnx } from '../graph/proto.ts';

/** By the names that onnxruntime gives them. */
const elementTypes = new Map<number, string>([
  [onnx.TensorProto.DataType.FLOAT, 'float32'],
  [onnx.TensorProto.DataType.UINT8, 'uint8'],
  [onnx.TensorProto.DataType.INT8, 'int8'],
  [onnx.TensorProto.DataType.UINT16, 'uint16'],
  [onnx.TensorProto.DataType.INT16, 'int16'],
  [onnx.TensorProto.DataType.INT32, 'int32'],
  [onnx.TensorProto.DataType.INT64, 'int64'],
  [onnx.TensorProto.DataType.STRING, 'string'],
  [onnx.TensorProto.DataType.BOOL, 'bool'],
  [onnx.TensorProto.DataType.FLOAT16, 'float16'],
  [onnx.TensorProto.DataType.DOUBLE, 'float64'],
  [onnx.TensorProto.DataType.UINT32, 'uint32'],
  [onnx.TensorProto.DataType.UINT64, 'uint64'],
  [onnx.TensorProto.DataType.BFLOAT16, 'bfloat16'],
]);

/** Bytes of one number. */
const widths: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
  int64: 8,
  uint64: 8,
  int32: 4,
  uint32: 4,
  int16: 2,
  uint16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

export const floatTypes: ReadonlySet<string> = new Set(['float32', 'float16', 'float64', 'bfloat16']);

/** A size, the name of one that the caller chooses, such as `batch`, or undefined where it cannot be known beforehand. */
export type Dim = number | string | undefined;

/** What is known about a value before anything runs. */
export interface ValueType {
  /** `float32`, `int64`, ...; undefined when it cannot be known. */
  readonly type: string | undefined;
  /** undefined when not even the number of axes can be known. */
  readonly dims: readonly Dim[] | undefined;
}

export const unknown: ValueType = { type: undefined, dims: undefined };

export function elementType(dataType: unknown): string | undefined {
  return elementTypes.get(Number(String(dataType)));
}

export function typeOfPort({ type }: Onnx.IValueInfoProto): ValueType {
  const { elemType, shape } = type?.tensorType ?? {};
  return {
    type: elementType(elemType),
    dims: shape?.dim?.map(({ dimParam, dimValue }) =>
      dimParam ? dimParam : dimValue == null ? undefined : Number(String(dimValue)),
    ),
  };
}

export function sizesOf({ dims }: Onnx.ITensorProto): number[] {
  return (dims ?? []).map((size) => Number(String(size)));
}

/** Bytes that a constant's numbers take; undefined for text and unknown types. */
export function byteLengthOf(tensor: Onnx.ITensorProto): number | undefined {
  const width = widths[elementType(tensor.dataType) ?? ''];
  return width === undefined ? undefined : sizesOf(tensor).reduce((product, size) => product * size, width);
}

/** 'float32 [batch, 3, 32, 32]' */
export function describe({ type, dims }: ValueType): string {
  return `${type ?? 'unknown'} ${describeDims(dims)}`;
}

export function describeDims(dims: readonly Dim[] | undefined): string {
  return dims ? `[${dims.map((dim) => dim ?? '?').join(', ')}]` : 'of unknown shape';
}

/** Whether two sizes may be the same; names and unknown sizes may be any. */
export function mayBeEqual(a: Dim, b: Dim): boolean {
  return typeof a !== 'number' || typeof b !== 'number' || a === b;
}

/** undefined unless all sizes are known, or all but one are 1. */
export function productOf(dims: readonly Dim[]): Dim {
  const others = dims.filter((dim) => dim !== 1);
  if (others.includes(0)) return 0;
  if (others.length === 1) return others[0];
  return others.reduce<Dim>(
    (product, dim) => (typeof product === 'number' && typeof dim === 'number' ? product * dim : undefined),
    1,
  );
}

/**
 * The shape of an elementwise result: axes are matched from the last, and an axis of size 1 takes the other's size.
 *
 * @throws Error when two sizes differ and neither is 1.
 */
export function broadcast(shapes: readonly (readonly Dim[] | undefined)[]): Dim[] | undefined {
  const known = shapes.filter((dims) => dims !== undefined);
  if (known.length < shapes.length) return undefined;
  const rank = Math.max(...known.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, axis) =>
    known.map((dims) => (axis < rank - dims.length ? 1 : dims[axis - rank + dims.length])).reduce(broadcastDim),
  );
}

function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === 'number' && typeof b === 'number') throw new Error(`sizes ${a} and ${b} do not go together`);
  // One of them is open: a size above 1 decides, or the run fails.
  if (typeof a === 'number') return a;
  return typeof b === 'number' ? b : undefined;
}
