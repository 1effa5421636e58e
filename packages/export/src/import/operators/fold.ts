import {
  axisOf,
  type Constant,
  floats,
  integers,
  isInteger,
  offsetsOf,
  product,
  stridesOf,
  take,
} from '../constant.ts';
import type { OperatorContext } from './context.ts';
import { readSlices } from './slices.ts';

/** Computes a node whose inputs are all constants. */
export type Fold = (context: OperatorContext) => Constant;

function withData(data: Float32Array | Float64Array, dims: readonly number[]): Constant {
  return { kind: 'constant', data, dims };
}

/** Picks values of `x` by strides; sizes are checked before anything is computed. */
function pick(
  context: OperatorContext,
  x: Constant,
  view: { dims: number[]; strides: number[]; start?: number },
): Constant {
  context.budget.compute(product(view.dims));
  return withData(take(x.data, offsetsOf(view.dims, view.strides, view.start)), view.dims);
}

function broadcastDims(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  const padded = shapes.map((dims) => [...Array<number>(rank - dims.length).fill(1), ...dims]);
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = padded.map((dims) => dims[axis]!).filter((size) => size !== 1);
    if (new Set(sizes).size > 1)
      throw new Error(`meets constants of the shapes ${shapes.map((dims) => `[${dims}]`).join(' and ')}`);
    return sizes[0] ?? 1;
  });
}

function spread(context: OperatorContext, x: Constant, dims: number[]): Constant {
  if (String(x.dims) === String(dims)) return x;
  const missing = dims.length - x.dims.length;
  const own = stridesOf(x.dims);
  const strides = dims.map((_, axis) => (axis < missing || x.dims[axis - missing] === 1 ? 0 : own[axis - missing]!));
  return pick(context, x, { dims, strides });
}

type Numbers = readonly number[];

/** Value by value, sizes of 1 repeated. */
const elementwise =
  (compute: (values: Numbers, areIntegers: boolean) => number, result?: 'integers'): Fold =>
  (context) => {
    const inputs = constantsOf(context);
    const dims = broadcastDims(inputs.map((input) => input.dims));
    context.budget.compute(product(dims));
    const operands = inputs.map((input) => spread(context, input, dims).data);
    const areIntegers = inputs.every(isInteger);
    const data =
      areIntegers || result === 'integers' ? new Float64Array(product(dims)) : new Float32Array(product(dims));
    for (let i = 0; i < data.length; i++)
      data[i] = compute(
        operands.map((values) => values[i]!),
        areIntegers,
      );
    return withData(data, dims);
  };

function constantsOf(context: OperatorContext): Constant[] {
  return context.inputs.map((_, index) => context.constant(index, 'an operand'));
}

const constant: Fold = (context) => {
  const { attributes } = context;
  const tensor = attributes.tensor('value');
  if (tensor) return context.readTensor(tensor);
  if (attributes.has('value_float')) return floats(Float32Array.of(attributes.float('value_float', 0)), []);
  if (attributes.has('value_floats')) return floats(Float32Array.from(attributes.floats('value_floats') ?? []));
  if (attributes.has('value_int')) return integers([attributes.integer('value_int', 0)], []);
  if (attributes.has('value_ints')) return integers(attributes.integers('value_ints') ?? []);
  throw new Error('has no tensor and no numbers as its value');
};

const constantOfShape: Fold = (context) => {
  const dims = sizesFrom(context, 0);
  const tensor = context.attributes.tensor('value');
  const fill = tensor ? context.readTensor(tensor) : floats(Float32Array.of(0), [1]);
  if (fill.data.length !== 1) throw new Error(`fills with ${fill.data.length} values; expected one`);
  return spread(context, { ...fill, dims: [] }, dims);
};

const INTEGER_TYPES = new Set([2, 3, 4, 5, 6, 7, 9, 12, 13]);
const FLOATING_TYPES = new Set([1, 10, 11, 16]);

const cast: Fold = (context) => {
  const { data, dims } = context.constant(0, 'the operand');
  const to = context.attributes.integer('to', 0);
  context.budget.compute(data.length);
  if (FLOATING_TYPES.has(to)) return floats(Float32Array.from(data), dims);
  if (!INTEGER_TYPES.has(to)) throw new Error(`casts to data type ${to}; expected numbers`);
  const bool = to === 9;
  return integers(
    Float64Array.from(data, (value) => (bool ? Number(value !== 0) : Math.trunc(value))),
    dims,
  );
};

const concatenate: Fold = (context) => {
  const parts = constantsOf(context);
  const [first] = parts as [Constant];
  const axis = axisOf(context.attributes.integer('axis', 0), first.dims.length);
  const isAlike = ({ dims }: Constant) =>
    dims.length === first.dims.length && dims.every((size, i) => i === axis || size === first.dims[i]);
  if (!parts.every(isAlike))
    throw new Error(`joins constants of the shapes ${parts.map(({ dims }) => `[${dims}]`).join(', ')}`);
  const dims = first.dims.map((size, i) =>
    i === axis ? parts.reduce((sum, part) => sum + part.dims[axis]!, 0) : size,
  );
  context.budget.compute(product(dims));
  const data = parts.every(isInteger) ? new Float64Array(product(dims)) : new Float32Array(product(dims));
  const outer = product(dims.slice(0, axis));
  const inner = product(dims.slice(axis + 1));
  let write = 0;
  for (let block = 0; block < outer; block++) {
    for (const part of parts) {
      const length = part.dims[axis]! * inner;
      data.set(part.data.subarray(block * length, (block + 1) * length), write);
      write += length;
    }
  }
  return withData(data, dims);
};

const gather: Fold = (context) => {
  const x = context.constant(0, 'the data');
  const indices = context.constant(1, 'the indices');
  const axis = axisOf(context.attributes.integer('axis', 0), x.dims.length);
  const size = x.dims[axis]!;
  const places = [...indices.data].map((index) => (index < 0 ? index + size : index));
  const wrong = places.find((place) => !(Number.isInteger(place) && place >= 0 && place < size));
  if (wrong !== undefined) throw new Error(`picks index ${wrong} of an axis of size ${size}`);
  const inner = product(x.dims.slice(axis + 1));
  const outer = product(x.dims.slice(0, axis));
  const dims = [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)];
  context.budget.compute(product(dims));
  const data = isInteger(x) ? new Float64Array(product(dims)) : new Float32Array(product(dims));
  let write = 0;
  for (let block = 0; block < outer; block++) {
    for (const place of places) {
      const from = (block * size + place) * inner;
      data.set(x.data.subarray(from, from + inner), write);
      write += inner;
    }
  }
  return withData(data, dims);
};

const slice: Fold = (context) => {
  const x = context.constant(0, 'the data');
  const dims = [...x.dims];
  const strides = stridesOf(x.dims);
  let start = 0;
  for (const part of readSlices(context, x.dims)) {
    start += part.count > 0 ? part.start * strides[part.axis]! : 0;
    dims[part.axis] = part.count;
    strides[part.axis]! *= part.step;
  }
  return pick(context, x, { dims, strides, start });
};

const transpose: Fold = (context) => {
  const x = context.constant(0, 'the data');
  const rank = x.dims.length;
  const order = context.attributes.integers('perm') ?? x.dims.map((_, axis) => rank - 1 - axis);
  if (order.length !== rank || new Set(order.map((axis) => axisOf(axis, rank))).size !== rank) {
    throw new Error(`permutes the axes [${order.slice(0, 8)}] of a tensor with ${rank}`);
  }
  const strides = stridesOf(x.dims);
  return pick(context, x, { dims: order.map((axis) => x.dims[axis]!), strides: order.map((axis) => strides[axis]!) });
};

const reshape: Fold = (context) => {
  const x = context.constant(0, 'the data');
  const target = context.input(1)
    ? [...context.constant(1, 'the shape').data]
    : (context.attributes.integers('shape') ?? []);
  const allowZero = context.attributes.integer('allowzero', 0) !== 0;
  const dims = target.map((size, axis) => (size === 0 && !allowZero ? (x.dims[axis] ?? 0) : size));
  const open = dims.indexOf(-1);
  if (open >= 0) dims[open] = x.data.length / product(dims.filter((size) => size !== -1));
  return resized(x, dims);
};

function resized(x: Constant, dims: number[]): Constant {
  if (dims.some((size) => !Number.isInteger(size) || size < 0) || product(dims) !== x.data.length || dims.length > 8) {
    throw new Error(`reshapes constants of shape [${x.dims}] to [${dims.slice(0, 9)}]`);
  }
  return withData(x.data, dims);
}

const squeeze: Fold = (context) => {
  const x = context.constant(0, 'the data');
  const named = context.integers('axes', 1)?.map((axis) => axisOf(axis, x.dims.length));
  return resized(
    x,
    x.dims.filter((size, axis) => (named ? !named.includes(axis) : size !== 1)),
  );
};

const unsqueeze: Fold = (context) => {
  const x = context.constant(0, 'the data');
  const named = context.integers('axes', 1) ?? [];
  const rank = x.dims.length + named.length;
  const added = new Set(named.map((axis) => axisOf(axis, rank)));
  let next = 0;
  return resized(
    x,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (x.dims[next++] ?? 0))),
  );
};

/** Sizes that a constant names. */
function sizesFrom(context: OperatorContext, index: number): number[] {
  const sizes = [...context.constant(index, 'the shape').data];
  if (sizes.length > 8 || sizes.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new Error(`asks for constants of the shape [${sizes.slice(0, 9)}]`);
  }
  return sizes;
}

const expand: Fold = (context) => {
  const x = context.constant(0, 'the data');
  return spread(context, x, broadcastDims([x.dims, sizesFrom(context, 1)]));
};

const range: Fold = (context) => {
  const [start, limit, delta] = constantsOf(context).map(({ data }) => data[0]!) as [number, number, number];
  const count = Math.max(Math.ceil((limit - start) / delta), 0);
  if (!Number.isFinite(count)) throw new Error(`counts from ${start} to ${limit} in steps of ${delta}`);
  context.budget.compute(count);
  const values = Float64Array.from({ length: count }, (_, i) => start + i * delta);
  return constantsOf(context).every(isInteger) ? integers(values) : floats(Float32Array.from(values), [count]);
};

const dequantize: Fold = (context) => {
  const x = context.constant(0, 'the data');
  const scale = context.constant(1, 'the scale');
  const zero = context.optionalConstant(2, 'the zero point');
  const along = scale.data.length > 1 ? axisOf(context.attributes.integer('axis', 1), x.dims.length) : 0;
  const inner = scale.data.length > 1 ? product(x.dims.slice(along + 1)) : 1;
  if (scale.data.length > 1 && (scale.data.length !== x.dims[along] || scale.dims.length !== 1)) {
    throw new Error(`has scales of shape [${scale.dims}] for constants of shape [${x.dims}]`);
  }
  context.budget.compute(x.data.length);
  const values = Float32Array.from(x.data, (value, i) => {
    const channel = scale.data.length > 1 ? Math.floor(i / inner) % scale.data.length : 0;
    return (value - (zero?.data[channel] ?? 0)) * scale.data[channel]!;
  });
  return floats(values, x.dims);
};

const compare = (holds: (a: number, b: number) => boolean) =>
  elementwise(([a, b]) => Number(holds(a!, b!)), 'integers');

/** What can be computed from constants alone, by ONNX names: mostly chains of exporters that work out a shape. */
export const folds: ReadonlyMap<string, Fold> = new Map(
  Object.entries({
    Abs: elementwise(([a]) => Math.abs(a!)),
    Add: elementwise(([a, b]) => a! + b!),
    Cast: cast,
    Ceil: elementwise(([a]) => Math.ceil(a!)),
    Concat: concatenate,
    Constant: constant,
    ConstantOfShape: constantOfShape,
    DequantizeLinear: dequantize,
    Div: elementwise(([a, b], areIntegers) => (areIntegers ? Math.trunc(a! / b!) : a! / b!)),
    Equal: compare((a, b) => a === b),
    Exp: elementwise(([a]) => Math.exp(a!)),
    Expand: expand,
    Floor: elementwise(([a]) => Math.floor(a!)),
    Gather: gather,
    Greater: compare((a, b) => a > b),
    Identity: (context) => context.constant(0, 'the operand'),
    Less: compare((a, b) => a < b),
    Max: elementwise((values) => Math.max(...values)),
    Min: elementwise((values) => Math.min(...values)),
    Mul: elementwise(([a, b]) => a! * b!),
    Neg: elementwise(([a]) => -a!),
    Not: elementwise(([a]) => Number(a === 0)),
    Pow: elementwise(([a, b]) => a! ** b!),
    Range: range,
    Reciprocal: elementwise(([a]) => 1 / a!),
    Reshape: reshape,
    Shape: (context) => integers(context.constant(0, 'the data').dims),
    Slice: slice,
    Sqrt: elementwise(([a]) => Math.sqrt(a!)),
    Squeeze: squeeze,
    Sub: elementwise(([a, b]) => a! - b!),
    Transpose: transpose,
    Unsqueeze: unsqueeze,
    Where: elementwise(([condition, a, b]) => (condition === 0 ? b! : a!)),
  } satisfies Record<string, Fold>),
);
