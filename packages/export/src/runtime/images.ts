/**
 * Reorders images for an ONNX file: [count, height, width, channels] -> [count, channels, height, width], and the same for
 * sequences and volumes.
 */
export function nhwcToNchw(images: Float32Array, shape: readonly number[]): Float32Array {
  const { pixels, channels } = extentsOf(shape[0]!, shape.at(-1)!, images);
  return swapInner(images, pixels, channels);
}

/** The way back: [count, channels, ...positions] -> [count, ...positions, channels]. */
export function nchwToNhwc(planes: Float32Array, dims: readonly number[]): Float32Array {
  const { pixels, channels } = extentsOf(dims[0]!, dims[1]!, planes);
  return swapInner(planes, channels, pixels);
}

function extentsOf(count: number, channels: number, { length }: Float32Array) {
  return { pixels: length / (count * channels), channels };
}

/** [count, rows, columns] -> [count, columns, rows]. */
function swapInner(values: Float32Array, rows: number, columns: number): Float32Array {
  const swapped = new Float32Array(values.length);
  let read = 0;
  for (let start = 0; start < values.length; start += rows * columns) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) swapped[start + column * rows + row] = values[read++]!;
    }
  }
  return swapped;
}
