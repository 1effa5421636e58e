import { expect, it } from 'vitest';
import { findPartialBlocks } from './compare-speed.ts';

const node = (name: string, inputs: number, filters: number, group = 1) => ({
  name,
  opType: 'Conv',
  macs: ((100 * inputs) / group) * filters,
  inputs,
  filters,
  group,
});

it('finds channels that do not fill blocks of 16, the largest waste first', () => {
  const found = findPartialBlocks([
    node('full', 32, 48),
    node('rgb', 3, 16),
    node('eights', 16, 24),
    node('odd', 33, 17),
    node('depthwise', 20, 20, 20),
    node('slightly odd', 15, 16),
  ]);
  expect(found.map(({ name, paddedMacs, fits, inBlocks }) => [name, Math.round(paddedMacs), fits, inBlocks])).toEqual([
    ['odd', 100 * 48 * 32, 1, false],
    ['eights', 100 * 16 * 32, 8, true],
    ['slightly odd', 100 * 16 * 16, 1, true],
    ['depthwise', 100 * 32, 1, true],
  ]);
});
