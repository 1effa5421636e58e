import { expect, it } from 'vitest';
import { explicitPads, type Pair } from './same-padding.ts';

it.each<[string, Pair, Pair, Pair, Pair, number[]]>([
  ['stride 1', [5, 5], [3, 3], [1, 1], [1, 1], [1, 1, 1, 1]],
  ['stride 2, even size: the odd zero goes last', [4, 4], [3, 3], [2, 2], [1, 1], [0, 0, 1, 1]],
  ['stride 2, odd size', [5, 5], [3, 3], [2, 2], [1, 1], [1, 1, 1, 1]],
  ['unequal sides', [6, 7], [2, 5], [1, 3], [1, 1], [0, 2, 1, 2]],
  ['stride beyond the window', [6, 6], [1, 1], [2, 2], [1, 1], [0, 0, 0, 0]],
  ['dilation', [6, 6], [3, 3], [1, 1], [2, 1], [2, 1, 2, 1]],
])("'same' padding, %s", (_name, input, size, strides, dilations, expected) => {
  expect(explicitPads({ input, size, strides, dilations, padding: 'same' })).toEqual(expected);
  expect(explicitPads({ input, size, strides, dilations, padding: 'valid' })).toEqual([0, 0, 0, 0]);
});
