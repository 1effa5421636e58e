import type { onnx as Onnx } from 'onnx-proto';
import { onnx } from '../graph/proto.ts';
import { sizesOf } from './value-type.ts';

const { DataType, DataLocation } = onnx.TensorProto;

/** Longer ones are tables of numbers, not shapes. */
const LONGEST = 4096;

type ReadNumber = (view: DataView, place: number) => number;

const readers = new Map<number, ReadNumber>([
  [DataType.INT64, (view, place) => Number(view.getBigInt64(8 * place, true))],
  [DataType.INT32, (view, place) => view.getInt32(4 * place, true)],
  [DataType.FLOAT, (view, place) => view.getFloat32(4 * place, true)],
]);

/** The numbers of a constant that may be a shape, axes or factors of a size; undefined for others. */
export function contentsOf(tensor: Onnx.ITensorProto): number[] | undefined {
  const read = readers.get(tensor.dataType ?? 0);
  const dims = sizesOf(tensor);
  const [length = 1] = dims;
  if (!read || dims.length > 1 || length > LONGEST || tensor.dataLocation === DataLocation.EXTERNAL) return undefined;
  const raw = tensor.rawData;
  if (raw?.length) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    return Array.from({ length }, (_, place) => read(view, place));
  }
  const list: readonly unknown[] =
    (tensor.dataType === DataType.INT64
      ? tensor.int64Data
      : tensor.dataType === DataType.INT32
        ? tensor.int32Data
        : tensor.floatData) ?? [];
  return list.map((value) => Number(String(value)));
}
