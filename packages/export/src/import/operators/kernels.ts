import { offsetsOf, stridesOf, take } from '../constant.ts';
import type { Weight } from '../plan.ts';

type Pair = readonly [number, number];

/** [out, in, height, width] -> [height, width, in, out] */
export function oihwToHwio(data: Float32Array, [outputs, inputs, height, width]: readonly number[]): Float32Array {
  const [o, i, h, w] = stridesOf([outputs!, inputs!, height!, width!]);
  return take(data, offsetsOf([height!, width!, inputs!, outputs!], [h!, w!, i!, o!]));
}

/** Zeros between the taps of [height, width, ...], so that a plain convolution does what a dilated one would. */
export function dilate(kernel: Weight, [down, right]: Pair): Weight {
  const [height, width, ...rest] = kernel.shape as [number, number, ...number[]];
  const [tall, wide] = [(height - 1) * down + 1, (width - 1) * right + 1];
  const tap = rest.reduce((size, factor) => size * factor, 1);
  const data = new Float32Array(tall * wide * tap);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * tap;
      data.set(kernel.data.subarray(from, from + tap), (row * down * wide + column * right) * tap);
    }
  }
  return { data, shape: [tall, wide, ...rest] };
}

/** [height, width, in / groups, out] -> [height, width, in, out] with zeros where a group does not look. */
export function ungroup(kernel: Weight, groups: number): Weight {
  const [height, width, perGroup, outputs] = kernel.shape as [number, number, number, number];
  const data = new Float32Array(height * width * perGroup * groups * outputs);
  const outputsPerGroup = outputs / groups;
  for (let tap = 0; tap < height * width; tap++) {
    for (let input = 0; input < perGroup; input++) {
      for (let group = 0; group < groups; group++) {
        const from = (tap * perGroup + input) * outputs + group * outputsPerGroup;
        const to = (tap * perGroup * groups + group * perGroup + input) * outputs + group * outputsPerGroup;
        data.set(kernel.data.subarray(from, from + outputsPerGroup), to);
      }
    }
  }
  return { data, shape: [height, width, perGroup * groups, outputs] };
}

/**
 * For layers of a kernel whose last axes are the outputs, and a bias: y * scale + shift becomes part of them.
 */
export function absorbIntoKernel(kernelName: string) {
  return (weights: Map<string, Weight>, scale: Float32Array, shift: Float32Array): void => {
    const outputs = scale.length;
    const kernel = weights.get(kernelName)!;
    const bias = weights.get('bias')?.data ?? new Float32Array(outputs);
    weights.set(kernelName, { ...kernel, data: kernel.data.map((value, i) => value * scale[i % outputs]!) });
    weights.set('bias', { data: bias.map((value, i) => value * scale[i]! + shift[i]!), shape: [outputs] });
  };
}
