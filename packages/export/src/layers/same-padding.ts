export type Pair = readonly [number, number];

interface Window {
  /** Height and width of the input. */
  readonly input: Pair;
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations?: Pair;
  readonly padding: string;
}

/**
 * The zeros that TensorFlow's padding modes put around an image, as ONNX writes them: [top, left, bottom, right].
 * With 'same' the output has ceil(input / stride) positions, and an odd zero goes to the bottom and the right.
 */
export function explicitPads({ input, size, strides, dilations = [1, 1], padding }: Window): number[] {
  if (padding !== 'same') return [0, 0, 0, 0];
  const totals = ([0, 1] as const).map((axis) => {
    const positions = Math.ceil(input[axis] / strides[axis]);
    const reach = (size[axis] - 1) * dilations[axis] + 1;
    return Math.max((positions - 1) * strides[axis] + reach - input[axis], 0);
  });
  const before = totals.map((total) => Math.floor(total / 2));
  const after = totals.map((total, axis) => total - before[axis]!);
  return [...before, ...after];
}
