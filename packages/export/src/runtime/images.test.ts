import { expect, it } from 'vitest';
import { nchwToNhwc, nhwcToNchw } from './images.ts';

it('lists each image channel by channel', () => {
  const twoImagesOfTwoPixels = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  expect([...nhwcToNchw(twoImagesOfTwoPixels, [2, 1, 2, 3])]).toEqual([1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12]);
});

it('reorders sequences and volumes as well, and finds the way back', () => {
  const numbers = Float32Array.from({ length: 24 }, (_, i) => i);
  expect([...nhwcToNchw(numbers.subarray(0, 6), [1, 3, 2])]).toEqual([0, 2, 4, 1, 3, 5]);
  expect([...nhwcToNchw(numbers, [1, 2, 2, 3, 2])].slice(10, 14)).toEqual([20, 22, 1, 3]);
  for (const [height, width, channels] of [[2, 2, 3] as const, [1, 12, 1] as const]) {
    const planes = nhwcToNchw(numbers, [2, height, width, channels]);
    expect(nchwToNhwc(planes, [2, channels, height, width])).toEqual(numbers);
  }
});
