/** A tensor whose values are known at import. */
export interface Constant {
  readonly kind: 'constant';
  readonly dims: readonly number[];
  /**
   * Float32Array for floating point numbers, Float64Array for integers and booleans. In shapes NaN is the batch size, which a
   * LayersModel leaves open; whatever is computed from it is NaN too.
   */
  readonly data: Float32Array | Float64Array;
}

export function floats(data: Float32Array, dims: readonly number[] = [data.length]): Constant {
  return { kind: 'constant', data, dims };
}

export function integers(data: Iterable<number>, dims?: readonly number[]): Constant {
  const values = Float64Array.from(data);
  return { kind: 'constant', data: values, dims: dims ?? [values.length] };
}

/** Not to be changed: the constant's own data where they are float32 already. */
export function asFloat32({ data }: Constant): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

export function isInteger({ data }: Constant): boolean {
  return data instanceof Float64Array;
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((size, factor) => size * factor, 1);
}

/** [a, b, c] -> [b * c, c, 1] */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = dims.map(() => 1);
  for (let axis = dims.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * dims[axis + 1]!;
  return strides;
}

/** Where each value of a tensor of shape `dims`, in row-major order, lies in memory with these strides. */
export function offsetsOf(dims: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const offsets = new Int32Array(product(dims));
  const index = dims.map(() => 0);
  let offset = start;
  for (let i = 0; i < offsets.length; i++) {
    offsets[i] = offset;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      offset += strides[axis]!;
      if (++index[axis]! < dims[axis]!) break;
      offset -= strides[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
  return offsets;
}

/** The values at these places. */
export function take<Data extends Float32Array | Float64Array>(data: Data, offsets: ArrayLike<number>): Data {
  const taken = data instanceof Float32Array ? new Float32Array(offsets.length) : new Float64Array(offsets.length);
  for (let i = 0; i < offsets.length; i++) taken[i] = data[offsets[i]!]!;
  return taken as Data;
}

/** An axis as files have it, also counted from the end, counted from the start. */
export function axisOf(axis: number, rank: number): number {
  const fromStart = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(fromStart) || fromStart < 0 || fromStart >= rank) {
    throw new Error(`names axis ${axis} of a tensor with ${rank} axes`);
  }
  return fromStart;
}
