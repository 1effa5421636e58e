import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { family } from '../family.ts';
import * as draw from '../generators.ts';
import type { Dtype } from '../tensors.ts';

type Unary = (x: tf.Tensor) => tf.Tensor;
type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const UNARY: Readonly<Record<string, Unary>> = {
  abs: tf.abs,
  acos: tf.acos,
  acosh: tf.acosh,
  asin: tf.asin,
  asinh: tf.asinh,
  atan: tf.atan,
  atanh: tf.atanh,
  ceil: tf.ceil,
  cos: tf.cos,
  cosh: tf.cosh,
  elu: tf.elu,
  erf: tf.erf,
  exp: tf.exp,
  expm1: tf.expm1,
  floor: tf.floor,
  identity: tf.clone,
  leakyRelu: tf.leakyRelu,
  log: tf.log,
  log1p: tf.log1p,
  logSigmoid: tf.logSigmoid,
  neg: tf.neg,
  onesLike: tf.onesLike,
  reciprocal: tf.reciprocal,
  relu: tf.relu,
  relu6: tf.relu6,
  round: tf.round,
  rsqrt: tf.rsqrt,
  selu: tf.selu,
  sigmoid: tf.sigmoid,
  sign: tf.sign,
  sin: tf.sin,
  sinh: tf.sinh,
  softplus: tf.softplus,
  sqrt: tf.sqrt,
  square: tf.square,
  step: tf.step,
  tan: tf.tan,
  tanh: tf.tanh,
  zerosLike: tf.zerosLike,
};

const TESTS: Readonly<Record<string, Unary>> = { isFinite: tf.isFinite, isInf: tf.isInf, isNaN: tf.isNaN };

const ARITHMETIC: Readonly<Record<string, Binary>> = {
  add: tf.add,
  atan2: tf.atan2,
  div: tf.div,
  divNoNan: tf.divNoNan,
  floorDiv: tf.floorDiv,
  maximum: tf.maximum,
  minimum: tf.minimum,
  mod: tf.mod,
  mul: tf.mul,
  pow: tf.pow,
  prelu: tf.prelu,
  squaredDifference: tf.squaredDifference,
  sub: tf.sub,
};

const COMPARISON: Readonly<Record<string, Binary>> = {
  equal: tf.equal,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
  notEqual: tf.notEqual,
};

const LOGICAL: Readonly<Record<string, Binary>> = {
  logicalAnd: tf.logicalAnd,
  logicalOr: tf.logicalOr,
  logicalXor: tf.logicalXor,
};

const numbers = draw.oneOf<draw.Values>(
  { dtype: 'float32', fill: 'ordinary' },
  { dtype: 'float32', fill: 'special' },
  { dtype: 'float32', fill: 'unit' },
  { dtype: 'int32', fill: 'ordinary' },
);
const anything = fc.oneof(numbers, fc.constant<draw.Values>({ dtype: 'bool' }));

/** cpu's int32 conversions and remainders of what is not finite are no program's business. */
const needsFinite = new Set(['floorDiv', 'mod', 'atan2']);
const isOrdinary = ({ inputs }: { inputs: readonly { fill: string }[] }) =>
  inputs.every(({ fill }) => fill !== 'special');

const pair = (values: fc.Arbitrary<draw.Values>) =>
  fc
    .tuple(draw.broadcastShapes(2, { max: 5 }), values, values)
    .chain(([[a, b], first, second]) => fc.tuple(draw.tensorOf(a!, first), draw.tensorOf(b!, second)));

export const elementwise = [
  family('unary', {
    cases: fc.record({
      inputs: fc.tuple(numbers.chain((values) => draw.tensor(values))),
      options: draw.namesOf(UNARY),
    }),
    run: ([x], name) => UNARY[name]!(x!),
    hasGradient: true,
  }),

  family('floatTests', {
    cases: fc.record({ inputs: fc.tuple(draw.tensor({ fill: 'special' })), options: draw.namesOf(TESTS) }),
    run: ([x], name) => TESTS[name]!(x!),
  }),

  family('cast', {
    cases: fc.record({
      inputs: fc.tuple(anything.chain((values) => draw.tensor(values))),
      options: draw.oneOf<Dtype>('float32', 'int32', 'bool'),
    }),
    run: ([x], dtype) => tf.cast(x!, dtype),
    hasGradient: true,
  }),

  family('clip', {
    cases: fc.record({
      inputs: fc.tuple(numbers.chain((values) => draw.tensor(values))),
      options: fc.record({
        min: fc.oneof(
          { weight: 3, arbitrary: fc.integer({ min: -3, max: 0 }) },
          { weight: 1, arbitrary: fc.constant(-Number.MAX_VALUE) },
        ),
        max: fc.oneof(
          { weight: 3, arbitrary: fc.integer({ min: 0, max: 3 }) },
          { weight: 1, arbitrary: fc.constant(Number.MAX_VALUE) },
        ),
      }),
    }),
    run: ([x], { min, max }) => tf.clipByValue(x!, min, max),
    hasGradient: true,
  }),

  family('arithmetic', {
    cases: fc
      .record({ inputs: pair(numbers), options: draw.namesOf(ARITHMETIC) })
      .filter((drawn) => isOrdinary(drawn) || !needsFinite.has(drawn.options)),
    run: ([a, b], name) => ARITHMETIC[name]!(a!, b!),
    hasGradient: isOrdinary,
  }),

  family('comparison', {
    cases: fc.record({
      inputs: pair(fc.oneof(anything, fc.constant<draw.Values>({ fill: 'ties' }))),
      options: draw.namesOf(COMPARISON),
    }),
    run: ([a, b], name) => COMPARISON[name]!(a!, b!),
  }),

  family('logical', {
    cases: fc.record({ inputs: pair(fc.constant<draw.Values>({ dtype: 'bool' })), options: draw.namesOf(LOGICAL) }),
    run: ([a, b], name) => tf.logicalNot(LOGICAL[name]!(a!, b!)),
  }),

  family('addN', {
    cases: fc.tuple(draw.shape(), numbers, fc.integer({ min: 1, max: 4 })).chain(([shape, values, count]) =>
      fc.record({
        inputs: fc.array(draw.tensorOf(shape, values), { minLength: count, maxLength: count }),
        options: fc.constant(null),
      }),
    ),
    run: (terms) => tf.addN(terms),
    hasGradient: true,
  }),

  family('select', {
    cases: fc
      .tuple(
        draw
          .broadcastShapes(3, { max: 4 })
          // tfjs-core broadcasts an axis of length 1 to one of length 0 without taking its values away.
          .filter((shapes) => !shapes.flat().includes(0) || new Set(shapes.map(String)).size === 1),
        numbers,
      )
      .chain(([[condition, a, b], values]) =>
        fc.record({
          inputs: fc.tuple(
            draw.tensorOf(condition!, { dtype: 'bool' }),
            draw.tensorOf(a!, values),
            draw.tensorOf(b!, values),
          ),
          options: fc.constant(null),
        }),
      ),
    run: ([condition, a, b]) => tf.where(condition!, a!, b!),
  }),
];
