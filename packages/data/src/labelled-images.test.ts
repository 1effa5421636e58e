import { expect, test } from 'vitest';
import { generateImages } from '../test/generated.ts';
import { checkLabelledImages, subset } from './labelled-images.ts';

test('subset copies the images and labels at the indices, in their order', () => {
  const data = {
    images: Uint8Array.of(1, 2, 3, 4, 5, 6),
    labels: Int32Array.of(0, 1, 0),
    shape: [1, 2, 1],
    classNames: ['a', 'b'],
  } as const;
  const picked = subset(data, [2, 1, 2]);
  expect([...picked.images]).toEqual([5, 6, 3, 4, 5, 6]);
  expect([...picked.labels]).toEqual([0, 1, 0]);
  picked.images[0] = 99;
  expect(data.images[4]).toBe(5);
});

test.each([3, -1, 0.5])('subset rejects index %d', (index) => {
  expect(() => subset(generateImages({ count: 3 }), [index])).toThrow(`index ${index} names no image; there are 3.`);
});

test.each([
  [{ images: new Uint8Array(10) }, 'here: 2 labels and images of 4 x 5 x 3 need 120 pixel values, got 10.'],
  [{ labels: Int32Array.of(0, 3) }, 'here: the label of image 1 must be between 0 and 2, got 3.'],
  [{ labels: Int32Array.of(-1, 0) }, 'here: the label of image 0 must be between 0 and 2, got -1.'],
  [
    { shape: [4, 5, 0] as const },
    'here: shape must be [height, width, channels], three positive integers, got [4,5,0].',
  ],
])('what does not fit together is named: %o', (change, message) => {
  expect(() => checkLabelledImages({ ...generateImages({ count: 2 }), ...change }, 'here')).toThrow(message);
});
