import { expect, it } from 'vitest';
import { explicitPads, transposedPads } from './same-padding.ts';

it.each<[string, number[], number[], number[], number[], number[]]>([
  ['stride 1', [5, 5], [3, 3], [1, 1], [1, 1], [1, 1, 1, 1]],
  ['stride 2, even size: the odd zero goes last', [4, 4], [3, 3], [2, 2], [1, 1], [0, 0, 1, 1]],
  ['stride 2, odd size', [5, 5], [3, 3], [2, 2], [1, 1], [1, 1, 1, 1]],
  ['unequal sides', [6, 7], [2, 5], [1, 3], [1, 1], [0, 2, 1, 2]],
  ['stride beyond the window', [6, 6], [1, 1], [2, 2], [1, 1], [0, 0, 0, 0]],
  ['one axis', [7], [4], [2], [1], [1, 2]],
  ['dilation', [6, 6], [3, 3], [1, 1], [2, 1], [2, 1, 2, 1]],
])("'same' padding, %s", (_name, input, size, strides, dilations, expected) => {
  expect(explicitPads({ input, size, strides, dilations, padding: 'same' })).toEqual(expected);
  expect(explicitPads({ input, size, strides, dilations, padding: 'valid' })).toEqual(expected.map(() => 0));
});

it.each<[string, number[], number[], string, { pads: number[]; outputPadding: number[] }]>([
  ['overlapping windows, same', [3, 4], [2, 2], 'same', { pads: [0, 1, 1, 1], outputPadding: [0, 0] }],
  ['overlapping windows, valid', [3, 4], [2, 2], 'valid', { pads: [0, 0, 0, 0], outputPadding: [0, 0] }],
  ['gaps between windows, same', [1, 2], [3, 2], 'same', { pads: [0, 0, 0, 0], outputPadding: [2, 0] }],
  ['gaps between windows, valid', [1, 2], [3, 2], 'valid', { pads: [0, 0, 0, 0], outputPadding: [2, 0] }],
])('transposed convolution, %s', (_name, size, strides, padding, expected) => {
  expect(transposedPads({ size, strides, padding })).toEqual(expected);
});
