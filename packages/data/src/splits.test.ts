import { expect, test } from 'vitest';
import { generateImages } from '../test/generated.ts';
import type { LabelledImages } from './labelled-images.ts';
import { pickPerClass, stratifiedSplit } from './splits.ts';

/** Each image is one pixel that holds its own number. */
function numbered(labels: readonly number[]): LabelledImages {
  return {
    images: Uint8Array.from(labels.keys()),
    labels: Int32Array.from(labels),
    shape: [1, 1, 1],
    classNames: ['a', 'b', 'c'],
  };
}

const data = numbered(Array.from({ length: 100 }, (_, i) => (i < 50 ? 0 : i < 80 ? 1 : 2)));
const perClass = ({ labels }: LabelledImages) => [0, 1, 2].map((label) => labels.filter((l) => l === label).length);

test('a split has the same share of each class, loses nothing and keeps the order', () => {
  const [rest, heldOut] = stratifiedSplit(data, { fraction: 0.1, seed: 1 });
  expect(perClass(rest)).toEqual([45, 27, 18]);
  expect(perClass(heldOut)).toEqual([5, 3, 2]);
  expect([...rest.images, ...heldOut.images].sort((a, b) => a - b)).toEqual([...data.images]);
  for (const part of [rest, heldOut]) {
    expect(part.images).toEqual(part.images.slice().sort());
    expect(part.labels).toEqual(Int32Array.from(part.images, (number) => data.labels[number]!));
  }
});

test('a split depends on its seed alone', () => {
  const held = (seed: number) => [...stratifiedSplit(data, { fraction: 0.2, seed })[1].images];
  expect(held(5)).toEqual(held(5));
  expect(held(5)).not.toEqual(held(6));
});

test.each([
  [0, 100],
  [1, 0],
])('a fraction of %d leaves %d images', (fraction, left) => {
  expect(stratifiedSplit(data, { fraction, seed: 0 })[0].labels).toHaveLength(left);
});

test.each([-0.1, 1.1, Number.NaN])('a fraction of %d is rejected', (fraction) => {
  expect(() => stratifiedSplit(data, { fraction, seed: 0 })).toThrow(
    `fraction must be between 0 and 1, got ${fraction}.`,
  );
});

test('pickPerClass takes as many of each class, sorted by class', () => {
  const picked = pickPerClass(data, { perClass: 4, seed: 3 });
  expect([...picked.labels]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  expect(new Set(picked.images).size).toBe(12);
  expect(picked.labels).toEqual(Int32Array.from(picked.images, (number) => data.labels[number]!));
  expect(pickPerClass(data, { perClass: 4, seed: 3 }).images).toEqual(picked.images);
  expect(pickPerClass(data, { perClass: 4, seed: 4 }).images).not.toEqual(picked.images);
});

test('pickPerClass names the class that is too small', () => {
  expect(() => pickPerClass(data, { perClass: 21, seed: 0 })).toThrow('class 2 (c) has 20 images, 21 are needed.');
  expect(() => pickPerClass(generateImages({ count: 3 }), { perClass: 0, seed: 0 })).toThrow(
    'perClass must be a positive integer, got 0.',
  );
});

test('a label that names no class is told, and splits nothing', () => {
  const mislabelled = numbered([0, 1, 2, 3]);
  const message = 'the label of image 3 must be between 0 and 2, got 3.';
  expect(() => stratifiedSplit(mislabelled, { fraction: 0.5, seed: 0 })).toThrow(`stratifiedSplit: ${message}`);
  expect(() => pickPerClass(mislabelled, { perClass: 1, seed: 0 })).toThrow(`pickPerClass: ${message}`);
});
