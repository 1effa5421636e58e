interface Window {
  /** Size of the input along each spatial axis; the others likewise. */
  readonly input: readonly number[];
  readonly size: readonly number[];
  readonly strides: readonly number[];
  readonly dilations?: readonly number[];
  readonly padding: string;
}

/**
 * The zeros that TensorFlow's padding modes put around an image, as ONNX writes them: [top, left, bottom, right], and so for
 * any number of axes. With 'same' the output has ceil(input / stride) positions, and an odd zero goes to the end.
 */
export function explicitPads({ input, size, strides, dilations, padding }: Window): number[] {
  const totals = input.map((length, axis) => {
    const positions = Math.ceil(length / strides[axis]!);
    const reach = (size[axis]! - 1) * (dilations?.[axis] ?? 1) + 1;
    return padding === 'same' ? Math.max((positions - 1) * strides[axis]! + reach - length, 0) : 0;
  });
  return split(totals);
}

/** What a transposed convolution cuts off its output, and the zeros that it appends where its windows leave gaps. */
export function transposedPads({ size, strides, padding }: Pick<Window, 'size' | 'strides' | 'padding'>): {
  readonly pads: number[];
  readonly outputPadding: number[];
} {
  const overlaps = size.map((length, axis) => length - strides[axis]!);
  return {
    pads: split(overlaps.map((overlap) => (padding === 'same' ? Math.max(overlap, 0) : 0))),
    outputPadding: overlaps.map((overlap) => Math.max(-overlap, 0)),
  };
}

function split(totals: readonly number[]): number[] {
  const before = totals.map((total) => Math.floor(total / 2));
  return [...before, ...totals.map((total, axis) => total - before[axis]!)];
}
