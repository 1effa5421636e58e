import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { family } from '../family.ts';
import * as draw from '../generators.ts';
import type { Dtype } from '../tensors.ts';

const anything = draw.oneOf<draw.Values>({}, { fill: 'special' }, { dtype: 'int32' }, { dtype: 'bool' });

/** One tensor of any dtype, with options that depend on its shape. */
function ofOne<Options>(options: (shape: number[]) => fc.Arbitrary<Options>, ranks?: draw.Ranks) {
  return fc
    .tuple(draw.shape(ranks), anything)
    .chain(([shape, values]) => fc.record({ inputs: fc.tuple(draw.tensorOf(shape, values)), options: options(shape) }));
}

/** Where a slice of one axis begins, and how long it is; -1 for all that follows. */
const part = (size: number) =>
  draw.upTo(size).chain((begin) => fc.tuple(fc.constant(begin), fc.integer({ min: -1, max: size - begin })));

const mask = (rank: number) => draw.upTo(2 ** rank - 1);

/** Axes cut in two wherever there is something to cut. */
const someReshape = (shape: number[]) =>
  fc.constantFrom([tf.util.sizeFromShape(shape)], [-1], [1, ...shape], [...shape, 1], [...shape].reverse(), [
    -1,
    ...shape.slice(1),
  ]);

export const shapes = [
  family('reshape', {
    cases: ofOne(someReshape),
    run: ([x], shape) => tf.reshape(x!, shape),
    hasGradient: true,
  }),

  family('expandAndSqueeze', {
    cases: ofOne((shape) => fc.integer({ min: -shape.length - 1, max: shape.length })),
    run: ([x], axis) => {
      const expanded = tf.expandDims(x!, axis);
      return [expanded, tf.squeeze(expanded)];
    },
    hasGradient: true,
  }),

  family('transpose', {
    cases: ofOne((shape) => fc.shuffledSubarray(draw.range(shape.length), { minLength: shape.length })),
    run: ([x], permutation) => tf.transpose(x!, permutation),
    hasGradient: true,
  }),

  family('reverse', {
    cases: ofOne((shape) => draw.axes(shape.length)),
    run: ([x], axes) => tf.reverse(x!, axes),
    hasGradient: true,
  }),

  family('slice', {
    cases: ofOne((shape) => draw.perAxis(shape, part), { min: 1 }),
    run: ([x], parts) =>
      tf.slice(
        x!,
        parts.map(([begin]) => begin),
        parts.map(([, size]) => size),
      ),
    hasGradient: true,
  }),

  family('stridedSlice', {
    cases: ofOne(
      (shape) =>
        fc.record({
          begin: draw.perAxis(shape, (size) => fc.integer({ min: -size - 1, max: size + 1 })),
          end: draw.perAxis(shape, (size) => fc.integer({ min: -size - 1, max: size + 1 })),
          strides: draw.perAxis(shape, () => draw.oneOf(1, 1, 2, 3, -1, -2)),
          beginMask: mask(shape.length),
          endMask: mask(shape.length),
          shrinkAxisMask: fc.oneof(fc.constant(0), mask(shape.length)),
        }),
      { min: 1, max: 5 },
    ),
    run: ([x], { begin, end, strides, beginMask, endMask, shrinkAxisMask }) => {
      // cpu counts the axes anew behind one that it drops, unless all strides are 1.
      const dropped = strides.every((stride) => stride === 1) ? shrinkAxisMask : 0;
      return tf.stridedSlice(x!, begin, end, strides, beginMask, endMask, 0, 0, dropped);
    },
  }),

  family('pad', {
    cases: ofOne(
      (shape) =>
        fc.record({
          paddings: draw.perAxis(shape, () => fc.tuple(draw.upTo(2), draw.upTo(2))),
          value: draw.oneOf(0, 1),
        }),
      { min: 1, max: 5 },
    ),
    run: ([x], { paddings, value }) => tf.pad(x!, paddings, value),
    hasGradient: true,
  }),

  family('mirrorPad', {
    cases: ofOne(
      (shape) =>
        draw.oneOf<'reflect' | 'symmetric'>('reflect', 'symmetric').chain((mode) => {
          const widest = (size: number) => Math.max(0, mode === 'reflect' ? size - 1 : size);
          return fc.record({
            mode: fc.constant(mode),
            paddings: draw.perAxis(shape, (size) => fc.tuple(draw.upTo(widest(size)), draw.upTo(widest(size)))),
          });
        }),
      { min: 1, max: 4 },
    ),
    run: ([x], { mode, paddings }) => tf.mirrorPad(x!, paddings, mode),
    hasGradient: true,
  }),

  family('tile', {
    cases: ofOne((shape) => draw.perAxis(shape, () => draw.upTo(3)), { min: 1, max: 4 }),
    run: ([x], repeats) => tf.tile(x!, repeats),
    hasGradient: true,
  }),

  family('broadcastTo', {
    cases: fc
      .tuple(draw.broadcastShapes(2, { max: 5 }), anything)
      .chain(([[from, to], values]) =>
        fc.record({ inputs: fc.tuple(draw.tensorOf(from!, values)), options: fc.constant(to!) }),
      ),
    run: ([x], shape) => tf.broadcastTo(x!, shape),
    hasGradient: true,
  }),

  family('concat', {
    cases: fc
      .tuple(draw.shape({ min: 1 }), anything, fc.array(draw.upTo(4), { minLength: 1, maxLength: 4 }))
      .chain(([shape, values, sizes]) =>
        draw.axis(shape.length).chain((axis) =>
          fc.record({
            inputs: fc.tuple(...sizes.map((size) => draw.tensorOf(shape.with(axis, size), values))),
            options: fc.constant(axis),
          }),
        ),
      ),
    run: (parts, axis) => tf.concat(parts, axis),
    hasGradient: true,
  }),

  family('stackAndUnstack', {
    cases: fc.tuple(draw.shape({ max: 5 }), anything, fc.integer({ min: 1, max: 4 })).chain(([shape, values, count]) =>
      fc.record({
        inputs: fc.array(draw.tensorOf(shape, values), { minLength: count, maxLength: count }),
        options: fc.integer({ min: -shape.length - 1, max: shape.length }),
      }),
    ),
    run: (parts, axis) => {
      const whole = tf.stack(parts, axis);
      return [whole, ...tf.unstack(whole, axis)];
    },
    hasGradient: true,
  }),

  family('split', {
    cases: fc
      .tuple(draw.shape({ min: 1 }), anything, fc.array(draw.upTo(3), { minLength: 1, maxLength: 3 }))
      .chain(([shape, values, sizes]) =>
        draw.axis(shape.length).chain((axis) =>
          fc.record({
            inputs: fc.tuple(
              draw.tensorOf(
                shape.with(
                  axis,
                  sizes.reduce((sum, size) => sum + size, 0),
                ),
                values,
              ),
            ),
            options: fc.constant({ sizes, axis }),
          }),
        ),
      ),
    run: ([x], { sizes, axis }) => tf.split(x!, sizes, axis),
    hasGradient: true,
  }),

  family('gather', {
    cases: fc
      .tuple(draw.filledShape({ min: 1, max: 4 }), anything, draw.shape({ max: 3 }), fc.nat(1000))
      .chain(([shape, values, indices, seed]) =>
        fc.record({
          inputs: fc.tuple(draw.tensorOf(shape, values)),
          options: fc.record({ axis: draw.axis(shape.length), indices: fc.constant(indices), seed: fc.constant(seed) }),
        }),
      ),
    run: ([x], { axis, indices, seed }) => {
      const size = x!.shape.at(axis)!;
      const positions = draw.range(tf.util.sizeFromShape(indices)).map((i) => (i * 7 + seed) % size);
      return tf.gather(x!, tf.tensor(positions, indices, 'int32'), axis);
    },
    hasGradient: true,
  }),

  family('oneHot', {
    cases: fc.record({
      inputs: fc.tuple(draw.tensor({ dtype: 'int32', fill: 'ties' }, { max: 4 })),
      options: fc.record({
        depth: fc.integer({ min: 1, max: 9 }),
        // cpu stores anything in a bool; here it is true or false.
        values: draw.oneOf<[Dtype, number, number]>(['float32', 3, -2.5], ['int32', 3, -2], ['bool', 1, 0]),
      }),
    }),
    run: ([indices], { depth, values: [dtype, on, off] }) => tf.oneHot(indices!, depth, on, off, dtype),
  }),

  family('creation', {
    cases: fc.record({
      inputs: fc.constant([]),
      options: fc.record({
        shape: draw.shape(),
        value: draw.oneOf<[Dtype, number]>(
          ['float32', -1.5],
          ['float32', NaN],
          ['float32', Infinity],
          ['int32', -7.5],
          ['int32', 3e9],
          ['bool', 0],
          ['bool', 1],
        ),
      }),
    }),
    run: (_, { shape, value: [dtype, value] }) => tf.fill(shape, value, dtype),
  }),
];
