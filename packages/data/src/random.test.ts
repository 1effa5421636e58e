import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkSeed, randomStream, shuffle } from './random.ts';

test('a stream is fixed by its key', () => {
  const draws = (...key: number[]) => {
    const random = randomStream(...key);
    return Array.from({ length: 8 }, () => random(1000));
  };
  expect(draws(1, 2, 3)).toEqual(draws(1, 2, 3));
  const keys = [[], [0], [1], [0, 0], [0, 1], [1, 0], [0, 0, 0], [0, 0, 1], [4294967295]];
  expect(new Set(keys.map((key) => draws(...key).join())).size).toBe(keys.length);
});

test('first draws of neighbouring keys are uniform', () => {
  const counts = new Array<number>(9).fill(0);
  for (let image = 0; image < 9000; image++) counts[randomStream(7, 0, image)(9)]! += 1;
  // chi-squared with 8 degrees of freedom exceeds 26.1 once in a thousand keys; the draws are fixed.
  const chiSquared = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chiSquared).toBeLessThan(26.1);
});

test('shuffle permutes', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(), (length, seed) => {
      const values = Uint32Array.from({ length }, (_, i) => i);
      const shuffled = values.slice();
      shuffle(shuffled, randomStream(seed));
      expect(shuffled.slice().sort()).toEqual(values);
    }),
    { seed: 1 },
  );
});

test('shuffle reaches all six orders of three about equally', () => {
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 6000; seed++) {
    const values = Uint32Array.of(0, 1, 2);
    shuffle(values, randomStream(seed));
    seen.set(values.join(), (seen.get(values.join()) ?? 0) + 1);
  }
  expect(seen.size).toBe(6);
  for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

test.each([-1, 1.5, 2 ** 32, Number.NaN])('seed %d is rejected', (seed) => {
  expect(() => checkSeed(seed, 'here')).toThrow(`here: seed must be an integer from 0 to 4294967295, got ${seed}.`);
});
