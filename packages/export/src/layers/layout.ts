/** Where a value has its channels in the ONNX graph. Vectors, which have one axis beside the batch, are channels last. */
export type Layout = 'channelsFirst' | 'channelsLast';

/** For each axis in the layout, batch left out, the number of that axis in TensorFlow, where channels come last. */
export function axesIn(layout: Layout, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return layout === 'channelsFirst' ? [rank - 1, ...axes.slice(0, -1)] : axes;
}

/** Puts what there is for each axis, such as its size, into the order of the layout; batch left out. */
export function arrange<T>(perAxis: readonly T[], layout: Layout): T[] {
  return axesIn(layout, perAxis.length).map((axis) => perAxis[axis]!);
}

/** The permutation that Transpose needs, batch included. */
export function permutation(from: Layout, to: Layout, rank: number): number[] {
  const source = axesIn(from, rank);
  return [0, ...axesIn(to, rank).map((axis) => source.indexOf(axis) + 1)];
}

/** Where an axis of TensorFlow lies in ONNX; both count the batch, and `axis` may be negative. `rank` counts the batch too. */
export function onnxAxis(axis: number, rank: number, layout: Layout): number {
  const positive = axis < 0 ? axis + rank : axis;
  return positive === 0 ? 0 : axesIn(layout, rank - 1).indexOf(positive - 1) + 1;
}

/** How a graph has values of this rank, batch left out, where nothing speaks for another layout: images channels first. */
export function usualLayout(rank: number): Layout {
  return rank >= 3 ? 'channelsFirst' : 'channelsLast';
}

/** Whether the numbers lie in the same order channels first and channels last. */
export function hasOneOrder(shape: readonly number[]): boolean {
  const channels = shape.at(-1)!;
  const positions = sizeOf(shape.slice(0, -1));
  return channels === 1 || positions === 1;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Reorders a constant: axis `i` of the result is axis `axes[i]` of `data`. */
export function transpose<T extends Float32Array | Int32Array>(
  data: T,
  shape: readonly number[],
  axes: readonly number[],
): T {
  const strides = axes.map((axis) => sizeOf(shape.slice(axis + 1)));
  const sizes = axes.map((axis) => shape[axis]!);
  const result = data.slice() as T;
  const position = sizes.map(() => 0);
  let read = 0;
  for (let write = 0; write < data.length; write++) {
    result[write] = data[read]!;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      read += strides[axis]!;
      if (++position[axis]! < sizes[axis]!) break;
      read -= sizes[axis]! * strides[axis]!;
      position[axis] = 0;
    }
  }
  return result;
}

/** A constant of the given shape, batch left out, in the order of the layout. */
export function transposeTo(layout: Layout, data: Float32Array, shape: readonly number[]): Float32Array {
  return layout === 'channelsLast' ? data : transpose(data, shape, axesIn(layout, shape.length));
}
