import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A uniform integer from 0 to `below` - 1. */
export type RandomIndex = (below: number) => number;

/** One random sequence for each list of integers: neighbouring seeds, epochs or images get unrelated ones. */
export function randomStream(...key: readonly number[]): RandomIndex {
  let state = 0x9e3779b9;
  for (const part of key) state = scramble(Math.imul(state, 31) + scramble(part + 1));
  const generator = xoroshiro128plus(state);
  return (below) => uniformInt(generator, 0, below - 1);
}

/** The finaliser of MurmurHash3: a bijection of 32-bit integers in which every input bit reaches every output bit. */
function scramble(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/** Fisher-Yates, in place. */
export function shuffle(values: Uint32Array, random: RandomIndex): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = random(last + 1);
    const value = values[last]!;
    values[last] = values[other]!;
    values[other] = value;
  }
}

export function checkSeed(seed: number, origin: string): void {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new Error(`${origin}: seed must be an integer from 0 to 4294967295, got ${seed}.`);
  }
}
