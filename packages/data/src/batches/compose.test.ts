import { expect, test } from 'vitest';
import { generateImages } from '../../test/generated.ts';
import { CIFAR10_STATISTICS } from '../statistics.ts';
import { batchComposer, epochOrder, type Recipe, standardisation } from './compose.ts';

function recipeFor(count: number, changes: Partial<Recipe> = {}): Recipe {
  const { images, labels, shape } = generateImages({ count });
  const plain = { batchSize: 4, shuffle: false, flip: false, cropPadding: 0, seed: 0 };
  return { images, labels, shape, ...plain, mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255], ...changes };
}

/** One composed image as [height][width][channels] pixel values (mean 0, std 1/255 undoes the scaling). */
function composed(recipe: Recipe, index: number, epoch = 0): number[][][] {
  const [height, width, channels] = recipe.shape;
  const target = { images: new Float32Array(height * width * channels), labels: new Int32Array(1) };
  batchComposer(recipe)(Uint32Array.of(index), epoch, target);
  return nested(Array.from(target.images, Math.round), recipe.shape);
}

function nested(values: ArrayLike<number>, [height, width, channels]: readonly [number, number, number]): number[][][] {
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) =>
      Array.from({ length: channels }, (_, channel) => values[(y * width + x) * channels + channel]!),
    ),
  );
}

function original({ images, shape }: Recipe, index: number): number[][][] {
  const size = shape[0] * shape[1] * shape[2];
  return nested(images.subarray(index * size, (index + 1) * size), shape);
}

const mirrored = (image: number[][][]) => image.map((row) => row.toReversed());

test('standardisation gives the very bits of PyTorch', () => {
  const table = standardisation(CIFAR10_STATISTICS);
  // Red values of a real image, and what PyTorch 1.13 made of them.
  const pixels = [74, 79, 82, 83, 84, 85];
  const expected = [-0.81508815, -0.73571455, -0.6880904, -0.67221564, -0.6563409, -0.6404662];
  expect(pixels.map((pixel) => table[pixel])).toEqual(expected.map(Math.fround));
});

test('each channel has its own statistics', () => {
  const table = standardisation({ mean: [0, 0.5], std: [1, 2] });
  expect([table[255], table[256 + 255], table[256]]).toEqual([1, 0.25, -0.25]);
});

test('without augmentation images and labels come as they are', () => {
  const recipe = recipeFor(5);
  expect(composed(recipe, 3)).toEqual(original(recipe, 3));
  const target = { images: new Float32Array(2 * 60), labels: new Int32Array(2) };
  batchComposer(recipe)(Uint32Array.of(4, 2), 0, target);
  expect([...target.labels]).toEqual([1, 2]);
  expect(Array.from(target.images.subarray(60), Math.round)).toEqual([...recipe.images.subarray(2 * 60, 3 * 60)]);
});

test('flip mirrors about half of the images, and others in another epoch', () => {
  const recipe = recipeFor(200, { flip: true });
  const flips = (epoch: number) =>
    Array.from({ length: 200 }, (_, index) => {
      const seen = JSON.stringify(composed(recipe, index, epoch));
      const [plain, flipped] = [original(recipe, index), mirrored(original(recipe, index))].map((i) =>
        JSON.stringify(i),
      );
      expect([plain, flipped]).toContain(seen);
      return seen === flipped;
    });
  const [first, second] = [flips(0), flips(1)];
  expect(Math.abs(first.filter(Boolean).length - 100)).toBeLessThan(30);
  expect(Math.abs(first.filter((flip, index) => flip !== second[index]).length - 100)).toBeLessThan(30);
});

test('crop takes a window of the flipped image in a black frame, every window as likely', () => {
  const padding = 2;
  const recipe = recipeFor(600, { flip: true, cropPadding: padding });
  const [height, width] = recipe.shape;
  const seenWindows = new Map<string, number>();
  for (let index = 0; index < 600; index++) {
    const seen = JSON.stringify(composed(recipe, index));
    const matches: string[] = [];
    for (const [flip, image] of [original(recipe, index), mirrored(original(recipe, index))].entries()) {
      for (let top = 0; top <= 2 * padding; top++) {
        for (let left = 0; left <= 2 * padding; left++) {
          const window = Array.from({ length: height }, (_, y) =>
            Array.from({ length: width }, (_, x) => image[y + top - padding]?.[x + left - padding] ?? [0, 0, 0]),
          );
          if (JSON.stringify(window) === seen) matches.push(`${flip} ${top} ${left}`);
        }
      }
    }
    expect(matches).toHaveLength(1);
    seenWindows.set(matches[0]!, (seenWindows.get(matches[0]!) ?? 0) + 1);
  }
  // 2 x 5 x 5 outcomes, 12 images each on average.
  expect(seenWindows.size).toBe(50);
  expect(Math.max(...seenWindows.values())).toBeLessThan(30);
});

test('padding is black before standardising', () => {
  const recipe = recipeFor(1, { cropPadding: 50, mean: [0.5, 0.25, 0], std: [0.5, 0.5, 0.5], seed: 2 });
  const target = { images: new Float32Array(60), labels: new Int32Array(1) };
  batchComposer(recipe)(Uint32Array.of(0), 0, target);
  expect(nested(target.images, recipe.shape).flat()).toEqual(new Array(20).fill([-1, -0.5, 0]));
});

test('the order of an epoch is fixed by seed and epoch', () => {
  const order = (changes: Partial<Recipe>, epoch: number) => [...epochOrder(recipeFor(50, changes), epoch)];
  const plain = Array.from({ length: 50 }, (_, i) => i);
  expect(order({}, 3)).toEqual(plain);
  const shuffled = order({ shuffle: true, seed: 1 }, 3);
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(plain);
  expect(shuffled).not.toEqual(plain);
  expect(order({ shuffle: true, seed: 1 }, 3)).toEqual(shuffled);
  expect(order({ shuffle: true, seed: 1 }, 4)).not.toEqual(shuffled);
  expect(order({ shuffle: true, seed: 2 }, 3)).not.toEqual(shuffled);
});

test('what happens to an image does not depend on its place in the epoch', () => {
  const recipe = recipeFor(20, { flip: true, cropPadding: 1 });
  const target = { images: new Float32Array(20 * 60), labels: new Int32Array(20) };
  batchComposer(recipe)(
    Uint32Array.from({ length: 20 }, (_, i) => 19 - i),
    6,
    target,
  );
  for (const index of [0, 7, 19]) {
    const within = target.images.subarray((19 - index) * 60, (20 - index) * 60);
    expect(nested(Array.from(within, Math.round), recipe.shape)).toEqual(composed(recipe, index, 6));
  }
});
