import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { family } from '../family.ts';
import * as draw from '../generators.ts';

type Reduce = (x: tf.Tensor, axis?: number[], keepDims?: boolean) => tf.Tensor;

const NUMERIC: Readonly<Record<string, Reduce>> = {
  logSumExp: tf.logSumExp,
  max: tf.max,
  mean: tf.mean,
  min: tf.min,
  prod: tf.prod,
  sum: tf.sum,
  variance: (x, axis, keepDims) => tf.moments(x, axis, keepDims).variance,
  norm: (x, axis, keepDims) => tf.norm(x, 'euclidean', axis, keepDims),
};

const LOGICAL: Readonly<Record<string, Reduce>> = { all: tf.all, any: tf.any };

const POSITIONS: Readonly<Record<string, (x: tf.Tensor, axis: number) => tf.Tensor>> = {
  argMax: tf.argMax,
  argMin: tf.argMin,
};

const RUNNING: Readonly<Record<string, typeof tf.cumsum>> = { cumprod: tf.cumprod, cumsum: tf.cumsum };

const SOFT: Readonly<Record<string, (x: tf.Tensor, axis: number) => tf.Tensor>> = {
  logSoftmax: tf.logSoftmax,
  softmax: tf.softmax,
};

const numbers = draw.oneOf<draw.Values>(
  { fill: 'ordinary' },
  { fill: 'unit' },
  { fill: 'ties' },
  { fill: 'special' },
  { dtype: 'int32', fill: 'ties' },
);

export const reductions = [
  family('reduction', {
    cases: fc.tuple(draw.shape(), numbers).chain(([shape, values]) =>
      fc.record({
        inputs: fc.tuple(draw.tensorOf(shape, values)),
        options: fc.record({ name: draw.namesOf(NUMERIC), axes: draw.axes(shape.length), keepDims: fc.boolean() }),
      }),
    ),
    run: ([x], { name, axes, keepDims }) => NUMERIC[name]!(x!, axes, keepDims),
    hasGradient: ({ inputs }) => inputs[0]!.fill !== 'special',
    tolerance: 1e-4,
  }),

  family('logicalReduction', {
    cases: draw.shape().chain((shape) =>
      fc.record({
        inputs: fc.tuple(draw.tensorOf(shape, { dtype: 'bool' })),
        options: fc.record({ name: draw.namesOf(LOGICAL), axes: draw.axes(shape.length), keepDims: fc.boolean() }),
      }),
    ),
    run: ([x], { name, axes, keepDims }) => LOGICAL[name]!(x!, axes, keepDims),
  }),

  family('position', {
    cases: fc.tuple(draw.shape({ min: 1 }), numbers).chain(([shape, values]) =>
      fc.record({
        inputs: fc.tuple(draw.tensorOf(shape, values)),
        options: fc.record({ name: draw.namesOf(POSITIONS), axis: draw.axis(shape.length) }),
      }),
    ),
    run: ([x], { name, axis }) => POSITIONS[name]!(x!, axis),
  }),

  family('running', {
    cases: fc
      .tuple(draw.shape({ min: 1 }), draw.oneOf<draw.Values>({ fill: 'unit' }, { dtype: 'int32', fill: 'ties' }))
      .chain(([shape, values]) =>
        fc.record({
          inputs: fc.tuple(draw.tensorOf(shape, values)),
          options: fc.record({
            name: draw.namesOf(RUNNING),
            // tfjs-core leaves a negative axis of cumprod as it is, and cpu loses the shape over it.
            axis: draw.upTo(shape.length - 1),
            exclusive: fc.boolean(),
            reverse: fc.boolean(),
          }),
        }),
      ),
    run: ([x], { name, axis, exclusive, reverse }) => RUNNING[name]!(x!, axis, exclusive, reverse),
    hasGradient: true,
  }),

  family('softmax', {
    cases: fc
      .tuple(draw.shape({ min: 1 }), draw.oneOf<draw.Values>({}, { fill: 'ties' }, { dtype: 'int32' }))
      .chain(([shape, values]) =>
        fc.record({
          inputs: fc.tuple(draw.tensorOf(shape, values)),
          options: fc.record({ name: draw.namesOf(SOFT), axis: draw.oneOf(-1, shape.length - 1) }),
        }),
      ),
    run: ([x], { name, axis }) => SOFT[name]!(x!, axis),
    hasGradient: true,
  }),

  family('topK', {
    cases: fc
      .tuple(draw.shape({ min: 1, max: 4 }), draw.oneOf<draw.Values>({}, { fill: 'ties' }, { dtype: 'int32' }))
      .chain(([shape, values]) =>
        fc.record({
          inputs: fc.tuple(draw.tensorOf(shape, values)),
          options: draw.upTo(shape.at(-1)!),
        }),
      ),
    run: ([x], k) => {
      const { values, indices } = tf.topk(x!, k);
      return [values, indices];
    },
  }),
];
