// Dtypes and ranks that tfjs-core's specs hardly mix: whole numbers, truth values, complex numbers and text, up to rank 6 and empty.
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { evaluate, expectAgreement, on, values } from './helpers.ts';

const SHAPES = [
  [2, 3],
  [0, 3],
  [1, 2, 3, 1, 2],
  [2, 0, 3, 1, 2],
  [1, 2, 1, 3, 1, 2],
];

type Dtype = 'int32' | 'bool' | 'complex64' | 'string';

function example(dtype: Dtype, shape: number[], seed = 1): tf.Tensor {
  const numbers = values(tf.util.sizeFromShape(shape), seed, 4);
  if (dtype === 'complex64') return tf.complex(tf.tensor(numbers, shape), tf.tensor(numbers.toReversed(), shape));
  if (dtype === 'string') {
    return tf.tensor(
      Array.from(numbers, (x) => 'aé漢'.slice(0, Math.abs(Math.trunc(x)))),
      shape,
      'string',
    );
  }
  return tf.tensor(
    dtype === 'int32' ? Int32Array.from(numbers) : Uint8Array.from(numbers, (x) => +(x > 0)),
    shape,
    dtype,
  );
}

type Op = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor | tf.Tensor[];

const moving: Record<string, Op> = {
  reshape: (a) => tf.reshape(a, [-1, 1]),
  expandDims: (a) => tf.expandDims(a, -1),
  stack: (a, b) => tf.stack([a, b], 1),
  concat: (a, b) => tf.concat([a, b], -1),
};
const cutting: Record<string, Op> = {
  slice: (a) =>
    tf.slice(
      a,
      a.shape.map(() => 0),
      a.shape.map((length) => Math.max(0, length - 1)),
    ),
  unstack: (a) => tf.unstack(a),
  tile: (a) =>
    tf.tile(
      a,
      a.shape.map((_, axis) => 1 + (axis % 2)),
    ),
};
const comparing: Record<string, Op> = {
  equal: tf.equal,
  notEqual: tf.notEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
};
const numeric: Record<string, Op> = {
  pad: (a) =>
    tf.pad(
      a,
      a.shape.map((_, axis) => [axis % 2, 1] as [number, number]),
    ),
  transpose: (a) => tf.transpose(a),
  reverse: (a) => [tf.reverse(a), tf.reverse(a, -1)],
  cast: (a) => [tf.cast(a, 'float32'), tf.cast(a, 'int32'), tf.cast(a, 'bool')],
  where: (a, b) => tf.where(tf.cast(a, 'bool'), a, b),
  sum: (a) => [tf.sum(a), tf.sum(a, -1), tf.sum(a, 0, true)],
  mean: (a) => [tf.mean(a), tf.mean(a, -1)],
  prod: (a) => [tf.prod(a), tf.prod(a, -1)],
  maximum: tf.maximum,
  squaredDifference: tf.squaredDifference,
  mul: tf.mul,
  div: tf.div,
  floorDiv: tf.floorDiv,
  mod: tf.mod,
  pow: tf.pow,
};
const logical: Record<string, Op> = {
  all: (a) => [tf.all(a), tf.all(a, -1)],
  any: (a) => [tf.any(a), tf.any(a, 0, true)],
  and: tf.logicalAnd,
  or: tf.logicalOr,
  xor: tf.logicalXor,
  not: (a) => tf.logicalNot(a),
};
const complex: Record<string, Op> = {
  parts: (a) => [tf.real(a), tf.imag(a), tf.abs(a)],
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  transpose: (a) => tf.transpose(a),
  cast: (a) => [tf.cast(a, 'float32'), tf.cast(tf.real(a), 'complex64')],
  likes: (a) => [tf.zerosLike(a), tf.onesLike(a)],
};

const OPS: Record<Dtype, Record<string, Op>> = {
  int32: { ...moving, ...cutting, ...comparing, ...numeric },
  bool: { ...moving, ...cutting, ...comparing, ...numeric, ...logical },
  complex64: { ...moving, ...complex },
  string: { ...moving, ...cutting, ...comparing },
};

describe.each(Object.keys(OPS) as Dtype[])('%s tensors agree with cpu', (dtype) => {
  it.each(Object.entries(OPS[dtype]))('%s', async (_, op) => {
    // tfjs-backend-cpu cannot read the empty complex tensors that it makes.
    for (const shape of SHAPES.filter((shape) => dtype !== 'complex64' || !shape.includes(0))) {
      await expectAgreement(() => op(example(dtype, shape), example(dtype, shape, 2)));
    }
  });
});

describe('shapes that depend on values agree with cpu', () => {
  it('unique, whereAsync, booleanMaskAsync', async () => {
    const results = async () => {
      const x = example('int32', [3, 1, 2, 2]);
      const { values: found, indices } = tf.unique(tf.reshape(x, [-1]));
      const tensors = [
        found,
        indices,
        await tf.whereAsync(tf.greater(x, 0)),
        await tf.booleanMaskAsync(x, tf.tensor1d([1, 0, 1], 'bool')),
        await tf.booleanMaskAsync(x, tf.tensor1d([0, 0, 0], 'bool')),
      ];
      return tensors.map((tensor) => ({ shape: tensor.shape, values: [...tensor.dataSync()] }));
    };
    const expected = await on('cpu', results);
    expect(await on('torch', results)).toEqual(expected);
    expect(expected.at(-1)?.shape).toEqual([0, 1, 2, 2]);
  });
});

it('empty complex tensors can be joined and taken apart', async () => {
  const results = await evaluate('torch', () => {
    const empty = example('complex64', [0, 3]);
    return [
      tf.concat([empty, empty], 1),
      tf.stack([empty, empty]),
      tf.real(tf.concat([empty, empty])),
      tf.mul(empty, empty),
    ];
  });
  expect(results).toEqual([
    { shape: [0, 6], dtype: 'complex64', values: [] },
    { shape: [2, 0, 3], dtype: 'complex64', values: [] },
    { shape: [0, 3], dtype: 'float32', values: [] },
    { shape: [0, 3], dtype: 'complex64', values: [] },
  ]);
});

it('bool holds 0 and 1, also where two are added', async () => {
  const [sum] = await evaluate('torch', () => tf.add(tf.tensor1d([1, 1, 0], 'bool'), tf.tensor1d([1, 0, 0], 'bool')));
  expect(sum).toEqual({ shape: [3], dtype: 'bool', values: [1, 1, 0] });
});
