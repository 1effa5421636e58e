import { CIFAR10_STATISTICS } from '@secateur/data';
import { expect, it } from 'vitest';
import { readAll } from './array-source.ts';
import { CANVAS, canvasSource } from './canvases.ts';

/** Six images of two classes, all red or all white. */
const IMAGES = {
  images: Uint8Array.from({ length: 6 * 32 * 32 * 3 }, (_, i) => (i < 3 * 32 * 32 * 3 && i % 3 > 0 ? 0 : 255)),
  labels: Int32Array.of(0, 0, 0, 1, 1, 1),
  shape: [32, 32, 3] as const,
  classNames: ['red', 'white'],
};
const options = { batchSize: 4, seed: 0, fresh: true };

it('labels each pixel by the image that it belongs to', async () => {
  const source = canvasSource(IMAGES, options);
  const { images, labels, shape, classNames } = await readAll(source);
  expect([source.size, shape, classNames]).toEqual([2, [CANVAS, CANVAS, 3], ['red', 'white', 'canvas']]);
  expect(labels).toHaveLength(2 * CANVAS * CANVAS);
  const patch = 16 * 16;
  for (const canvas of [0, 1]) {
    const own = labels.subarray(canvas * CANVAS * CANVAS, (canvas + 1) * CANVAS * CANVAS);
    const pasted = own.filter((label) => label < 2).length;
    expect(pasted).toBeGreaterThanOrEqual(patch);
    expect(pasted).toBeLessThanOrEqual(3 * patch);
  }
  const blue = (CIFAR10_STATISTICS.mean[2]! * -1) / CIFAR10_STATISTICS.std[2]!;
  labels.forEach((label, pixel) => {
    if (label === 0) expect(images[3 * pixel + 2]).toBeCloseTo(blue, 5);
  });
});

it('gives the same canvases for the same seed and epoch, and others for others where they are to be fresh', async () => {
  const first = async (epoch: number, more = {}) => {
    for await (const { images } of canvasSource(IMAGES, { ...options, ...more }).batches(epoch)) return [...images];
    return [];
  };
  expect(await first(0)).toEqual(await first(0));
  expect(await first(1)).not.toEqual(await first(0));
  expect(await first(0, { seed: 1 })).not.toEqual(await first(0));
  expect(await first(1, { fresh: false })).toEqual(await first(0));
});
