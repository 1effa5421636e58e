/** Reorders images for an ONNX file: [count, height, width, channels] -> [count, channels, height, width]. */
export function nhwcToNchw(images: Float32Array, [count, height, width, channels]: readonly number[]): Float32Array {
  const nchw = new Float32Array(images.length);
  const pixels = height! * width!;
  let read = 0;
  for (let image = 0; image < count!; image++) {
    const start = image * pixels * channels!;
    for (let pixel = 0; pixel < pixels; pixel++) {
      for (let channel = 0; channel < channels!; channel++) nchw[start + channel * pixels + pixel] = images[read++]!;
    }
  }
  return nchw;
}
