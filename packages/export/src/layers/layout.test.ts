import { expect, it } from 'vitest';
import { arrange, axesIn, hasOneOrder, onnxAxis, permutation, transpose } from './layout.ts';

it('lists the axes of each layout', () => {
  expect(axesIn('channelsFirst', 3)).toEqual([2, 0, 1]);
  expect(axesIn('channelsLast', 3)).toEqual([0, 1, 2]);
  expect(axesIn('channelsFirst', 1)).toEqual([0]);
  expect(arrange(['height', 'width', 'channels'], 'channelsFirst')).toEqual(['channels', 'height', 'width']);
});

it('permutes one layout into the other, the batch left in front', () => {
  expect(permutation('channelsLast', 'channelsFirst', 3)).toEqual([0, 3, 1, 2]);
  expect(permutation('channelsFirst', 'channelsLast', 3)).toEqual([0, 2, 3, 1]);
  expect(permutation('channelsFirst', 'channelsLast', 2)).toEqual([0, 2, 1]);
});

it.each([
  [-1, 4, 'channelsFirst', 1],
  [1, 4, 'channelsFirst', 2],
  [-2, 4, 'channelsFirst', 3],
  [0, 4, 'channelsFirst', 0],
  [-1, 3, 'channelsLast', 2],
  [1, 2, 'channelsLast', 1],
] as const)('axis %i of %i lies, %s, at %i', (axis, rank, layout, expected) => {
  expect(onnxAxis(axis, rank, layout)).toBe(expected);
});

it('knows where both layouts are one', () => {
  expect([[5], [1, 1, 5], [4, 3, 1], [4, 1, 3]].map(hasOneOrder)).toEqual([true, true, true, false]);
});

it('transposes constants', () => {
  const matrix = Float32Array.of(1, 2, 3, 4, 5, 6);
  expect([...transpose(matrix, [2, 3], [1, 0])]).toEqual([1, 4, 2, 5, 3, 6]);
  // [height 1, width 2, channels 3] -> [channels, height, width]
  expect([...transpose(Int32Array.of(0, 1, 2, 10, 11, 12), [1, 2, 3], [2, 0, 1])]).toEqual([0, 10, 1, 11, 2, 12]);
  expect([...matrix]).toEqual([1, 2, 3, 4, 5, 6]);
});
