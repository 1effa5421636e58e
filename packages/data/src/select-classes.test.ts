import { expect, it } from 'vitest';
import type { LabelledImages } from './labelled-images.ts';
import { selectClasses } from './select-classes.ts';

const DATA: LabelledImages = {
  images: Uint8Array.of(10, 11, 20, 21, 30, 31, 40, 41, 50, 51),
  labels: Int32Array.of(3, 0, 1, 3, 2),
  shape: [1, 2, 1],
  classNames: ['ant', 'bee', 'cat', 'dog'],
};

it('keeps the images of the classes, and counts labels anew in the order of all classes', () => {
  const { images, labels, shape, classNames } = selectClasses(DATA, ['dog', 'bee']);
  expect(classNames).toEqual(['bee', 'dog']);
  expect([...labels]).toEqual([1, 0, 1]);
  expect([...images]).toEqual([10, 11, 30, 31, 40, 41]);
  expect(shape).toEqual([1, 2, 1]);
  expect([...DATA.labels]).toEqual([3, 0, 1, 3, 2]);
});

it('gives everything for all classes, and refuses unknown ones', () => {
  const all = selectClasses(DATA, DATA.classNames);
  expect([[...all.labels], [...all.images], all.classNames]).toEqual([
    [...DATA.labels],
    [...DATA.images],
    DATA.classNames,
  ]);
  expect(() => selectClasses(DATA, ['cow'])).toThrow("'cow' is none of the classes: ant, bee, cat, dog");
});
