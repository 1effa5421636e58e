// What the families draw from: shapes, axes, pairs that broadcast, tensors.
import fc from 'fast-check';
import type { Dtype, Fill, Layout, TensorSpec } from './tensors.ts';

/** Keeps a tensor within a few hundred values: tfjs-backend-cpu is slow, and small shapes hold the bugs. */
const LONGEST = [1, 7, 7, 6, 4, 3, 2] as const;

const length = (longest: number) =>
  fc.oneof({ weight: 14, arbitrary: fc.integer({ min: 1, max: longest }) }, { weight: 1, arbitrary: fc.constant(0) });

export interface Ranks {
  readonly min?: number;
  readonly max?: number;
}

export function shape({ min = 0, max = 6 }: Ranks = {}): fc.Arbitrary<number[]> {
  return fc
    .integer({ min, max })
    .chain((rank) => fc.array(length(LONGEST[rank]!), { minLength: rank, maxLength: rank }));
}

/** Without empty axes. */
export const filledShape = (ranks?: Ranks) => shape(ranks).map((sizes) => sizes.map((size) => Math.max(1, size)));

export interface Values {
  readonly dtype?: Dtype;
  readonly fill?: Fill;
}

const LAYOUTS: readonly Layout[] = ['plain', 'plain', 'reshaped', 'transposed', 'sliced', 'filter'];

export function tensorOf(sizes: readonly number[], { dtype = 'float32', fill = 'ordinary' }: Values = {}) {
  const record: fc.Arbitrary<TensorSpec> = fc.record({
    shape: fc.constant(sizes),
    dtype: fc.constant(dtype),
    fill: fc.constant(fill),
    seed: fc.nat(1_000_000),
    // The optimiser's update leaves no NaN or infinity as it was.
    layout: fc.constantFrom(...LAYOUTS.filter((layout) => layout !== 'filter' || fill !== 'special')),
  });
  return record;
}

export const tensor = (values?: Values, ranks?: Ranks) => shape(ranks).chain((sizes) => tensorOf(sizes, values));
export const filledTensor = (values?: Values, ranks?: Ranks) =>
  filledShape(ranks).chain((sizes) => tensorOf(sizes, values));

/** Several shapes that broadcast to one: axes of length 1, and leading axes left out. */
export function broadcastShapes(count: number, ranks?: Ranks): fc.Arbitrary<number[][]> {
  const narrowed = (sizes: readonly number[]) =>
    fc
      .tuple(
        fc.array(fc.boolean(), { minLength: sizes.length, maxLength: sizes.length }),
        fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(sizes.length) }),
        fc.boolean(),
      )
      .map(([ones, dropped, whole]) =>
        whole ? [...sizes] : sizes.map((size, axis) => (ones[axis] ? 1 : size)).slice(dropped),
      );
  return shape(ranks).chain((sizes) => fc.array(narrowed(sizes), { minLength: count, maxLength: count }));
}

/** Some axes in any order, each counted from the front or the back; undefined for all of them. */
export function axes(rank: number): fc.Arbitrary<number[] | undefined> {
  const some = fc
    .shuffledSubarray(range(rank))
    .chain((chosen) =>
      fc
        .array(fc.boolean(), { minLength: rank, maxLength: rank })
        .map((fromBack) => chosen.map((axis, i) => (fromBack[i] ? axis - rank : axis))),
    );
  return fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 4, arbitrary: some });
}

/** One axis; the tensor must have one. */
export const axis = (rank: number) => fc.integer({ min: -rank, max: rank - 1 });

/** Integers, one for each axis, between limits that depend on the axis. */
export function perAxis<T>(
  sizes: readonly number[],
  one: (size: number, axis: number) => fc.Arbitrary<T>,
): fc.Arbitrary<T[]> {
  return fc.tuple(...sizes.map((size, axis) => one(size, axis)));
}

export const upTo = (max: number) => fc.integer({ min: 0, max });
export const range = (count: number) => Array.from({ length: count }, (_, i) => i);
export const oneOf = <T>(...choices: readonly T[]) => fc.constantFrom(...choices);
export const namesOf = <T extends object>(table: T) => fc.constantFrom(...(Object.keys(table) as (keyof T & string)[]));
