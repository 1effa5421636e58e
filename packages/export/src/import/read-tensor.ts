import type { onnx as Onnx } from 'onnx-proto';
import type { ExternalData } from '../external-data/external-data.ts';
import { onnx } from '../graph/proto.ts';
import { quote } from '../quote.ts';
import { type Constant, floats, integers, product } from './constant.ts';

const { DataType, DataLocation } = onnx.TensorProto;

/** Reads values of one type, little-endian. */
type ReadValue = (view: DataView, offset: number) => number;

interface NumberType {
  /** Bytes of a value in raw data. */
  readonly size: number;
  readonly read: ReadValue;
  readonly floating: boolean;
  /** Where values are that are not raw data. */
  list(tensor: Onnx.ITensorProto): readonly unknown[];
  /** What an entry of that list stands for. */
  readonly decode?: (entry: number) => number;
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

const int32List = (tensor: Onnx.ITensorProto) => tensor.int32Data ?? [];
const integer = (size: number, read: ReadValue): NumberType => ({ size, read, floating: false, list: int32List });

const NUMBER_TYPES: ReadonlyMap<number, NumberType> = new Map<number, NumberType>([
  [
    DataType.FLOAT,
    {
      size: 4,
      read: (view, at) => view.getFloat32(at, true),
      floating: true,
      list: (tensor) => tensor.floatData ?? [],
    },
  ],
  [
    DataType.DOUBLE,
    {
      size: 8,
      read: (view, at) => view.getFloat64(at, true),
      floating: true,
      list: (tensor) => tensor.doubleData ?? [],
    },
  ],
  [
    DataType.FLOAT16,
    {
      size: 2,
      read: (view, at) => fromFloat16(view.getUint16(at, true)),
      floating: true,
      list: int32List,
      decode: fromFloat16,
    },
  ],
  [
    DataType.BFLOAT16,
    {
      size: 2,
      read: (view, at) => fromBfloat16(view.getUint16(at, true)),
      floating: true,
      list: int32List,
      decode: fromBfloat16,
    },
  ],
  [
    DataType.INT64,
    {
      size: 8,
      read: (view, at) => Number(view.getBigInt64(at, true)),
      floating: false,
      list: (tensor) => tensor.int64Data ?? [],
    },
  ],
  [DataType.INT32, integer(4, (view, at) => view.getInt32(at, true))],
  [DataType.INT16, integer(2, (view, at) => view.getInt16(at, true))],
  [DataType.INT8, integer(1, (view, at) => view.getInt8(at))],
  [DataType.UINT16, integer(2, (view, at) => view.getUint16(at, true))],
  [DataType.UINT8, integer(1, (view, at) => view.getUint8(at))],
  [DataType.BOOL, integer(1, (view, at) => view.getUint8(at))],
]);

/**
 * Reads a constant of the file.
 *
 * @throws Error when its type is not a number type, its sizes do not fit its data, or its data are not where it says.
 */
export function readTensor(tensor: Onnx.ITensorProto, external: ExternalData): Constant {
  const name = `Tensor ${quote(tensor.name ?? '')}`;
  const type = NUMBER_TYPES.get(tensor.dataType ?? 0);
  if (!type) {
    const known = DataType[tensor.dataType ?? 0] ?? tensor.dataType;
    throw new Error(`${name} has the data type ${known}; expected floating point numbers, integers or booleans.`);
  }
  if (tensor.segment) throw new Error(`${name} is stored in segments, which no known program does.`);
  const dims = (tensor.dims ?? []).map((size) => Number(String(size)));
  if (dims.length > 8 || dims.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    throw new Error(`${name} has sizes [${dims.slice(0, 9)}]; expected at most 8 sizes of 0 or more.`);
  }
  const count = product(dims);
  const isExternal = tensor.dataLocation === DataLocation.EXTERNAL;
  const raw = isExternal ? external.read(tensor, count * type.size) : (tensor.rawData ?? new Uint8Array());
  const values = raw.length > 0 || isExternal ? readRaw(raw, type, { name, count }) : readList(tensor, type);
  if (values.length !== count) {
    throw new Error(`${name} of shape [${dims}] should have ${count} values, but ${values.length} are stored.`);
  }
  return values instanceof Float32Array ? floats(values, dims) : integers(values, dims);
}

function readRaw(
  raw: Uint8Array,
  type: NumberType,
  { name, count }: { name: string; count: number },
): Float32Array | Float64Array {
  const { size, read, floating } = type;
  if (raw.length !== count * size) {
    throw new Error(`${name} should have ${count} values of ${size} bytes each, but ${raw.length} bytes are stored.`);
  }
  // Weights are most of a file, and mostly float32; a copy is aligned.
  if (type === NUMBER_TYPES.get(DataType.FLOAT) && IS_LITTLE_ENDIAN)
    return new Float32Array(new Uint8Array(raw).buffer);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = floating ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, i * size);
  return values;
}

function readList(
  tensor: Onnx.ITensorProto,
  { list, decode = (entry) => entry, floating }: NumberType,
): Float32Array | Float64Array {
  const numbers = list(tensor).map((entry) => decode(typeof entry === 'number' ? entry : Number(String(entry))));
  return floating ? Float32Array.from(numbers) : Float64Array.from(numbers);
}

/** IEEE 754 half precision: 1 bit sign, 5 bits exponent, 10 bits fraction. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The upper half of a float32. */
function fromBfloat16(bits: number): number {
  return new Float32Array(Uint32Array.of((bits << 16) >>> 0).buffer)[0]!;
}
