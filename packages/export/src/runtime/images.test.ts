import { expect, it } from 'vitest';
import { nhwcToNchw } from './images.ts';

it('lists each image channel by channel', () => {
  const twoImagesOfTwoPixels = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  expect([...nhwcToNchw(twoImagesOfTwoPixels, [2, 1, 2, 3])]).toEqual([1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12]);
});
