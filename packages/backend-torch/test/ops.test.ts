import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectAgreement, on, tensor } from './helpers.ts';

const SPECIAL = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, 7.25, -30, 40, NaN, Infinity, -Infinity];

describe('unary kernels agree with cpu, special values included', () => {
  const ops: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    abs: tf.abs,
    acos: tf.acos,
    acosh: tf.acosh,
    asin: tf.asin,
    asinh: tf.asinh,
    atan: tf.atan,
    atanh: tf.atanh,
    ceil: tf.ceil,
    clip: (x) => tf.clipByValue(x, -1, 2),
    cos: tf.cos,
    elu: tf.elu,
    erf: tf.erf,
    expm1: tf.expm1,
    floor: tf.floor,
    isFinite: tf.isFinite,
    isInf: tf.isInf,
    isNaN: tf.isNaN,
    leakyRelu: (x) => tf.leakyRelu(x, 0.3),
    log: tf.log,
    log1p: tf.log1p,
    neg: tf.neg,
    reciprocal: tf.reciprocal,
    relu: tf.relu,
    relu6: tf.relu6,
    round: tf.round,
    rsqrt: tf.rsqrt,
    selu: tf.selu,
    sigmoid: tf.sigmoid,
    sign: tf.sign,
    sin: tf.sin,
    softplus: tf.softplus,
    sqrt: tf.sqrt,
    square: tf.square,
    step: (x) => tf.step(x, -0.5),
    tan: tf.tan,
    tanh: tf.tanh,
    zerosLike: tf.zerosLike,
    onesLike: tf.onesLike,
  };
  it.each(Object.entries(ops))('%s', async (_, op) => {
    await expectAgreement(() => op(tf.tensor1d(SPECIAL)));
    await expectAgreement(() => op(tf.tensor(new Float32Array(0), [0, 3])));
  });

  const integerOps = { abs: tf.abs, neg: tf.neg, sign: tf.sign, square: tf.square, relu: tf.relu, step: tf.step };
  it.each(Object.entries(integerOps))('%s of int32', async (_, op) => {
    await expectAgreement(() =>
      op(
        tf.tensor2d(
          [
            [3, -4],
            [0, 7],
          ],
          [2, 2],
          'int32',
        ),
      ),
    );
  });
  it.each([
    ['exp', tf.exp],
    ['sinh', tf.sinh],
    ['cosh', tf.cosh],
  ] as const)('%s', async (_, op) => {
    await expectAgreement(() => op(tensor([40], 3, 6)));
    await expectAgreement(() => op(tf.tensor1d([NaN, Infinity, -Infinity, 0])));
  });
});

describe('binary kernels agree with cpu', () => {
  const ops: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
    add: tf.add,
    atan2: tf.atan2,
    div: tf.div,
    divNoNan: tf.divNoNan,
    equal: tf.equal,
    floorDiv: tf.floorDiv,
    greater: tf.greater,
    greaterEqual: tf.greaterEqual,
    less: tf.less,
    lessEqual: tf.lessEqual,
    maximum: tf.maximum,
    minimum: tf.minimum,
    mod: tf.mod,
    mul: tf.mul,
    notEqual: tf.notEqual,
    pow: tf.pow,
    squaredDifference: tf.squaredDifference,
    sub: tf.sub,
    where: (a, b) => tf.where(tf.greater(a, b), a, b),
  };
  const grid = (values: number[], side: 'rows' | 'columns', dtype: 'float32' | 'int32') =>
    side === 'rows' ? tf.tensor(values, [values.length, 1], dtype) : tf.tensor(values, [1, values.length], dtype);

  it.each(Object.entries(ops))('%s', async (name, op) => {
    // cpu's floorDiv and mod of non-finite numbers end in int32 conversions and remainders that no program relies on.
    const finite = name === 'floorDiv' || name === 'mod' || name === 'atan2';
    const numbers = SPECIAL.filter((x) => (finite ? Number.isFinite(x) : true));
    await expectAgreement(() => op(grid(numbers, 'rows', 'float32'), grid(numbers, 'columns', 'float32')));
    const integers = [-7, -2, -1, 0, 1, 2, 3, 100000];
    await expectAgreement(() => op(grid(integers, 'rows', 'int32'), grid(integers, 'columns', 'int32')));
    await expectAgreement(() => op(tensor([2, 3, 4]), tf.scalar(0.75)));
    await expectAgreement(() => op(tensor([2, 1, 4]), tensor([3, 1], 2)));
    await expectAgreement(() => op(tf.tensor(new Float32Array(0), [0, 3]), tensor([3])));
  });

  it('overflows int32 products and sums as JavaScript does', async () => {
    await expectAgreement(() => tf.mul(tf.tensor1d([123456789], 'int32'), tf.tensor1d([987], 'int32')));
    await expectAgreement(() => tf.add(tf.tensor1d([2147483647], 'int32'), tf.tensor1d([2], 'int32')));
  });

  it('logical operations and bool inputs', async () => {
    const a = () => tf.tensor1d([true, true, false, false], 'bool');
    const b = () => tf.tensor1d([true, false, true, false], 'bool');
    await expectAgreement(() => [tf.logicalAnd(a(), b()), tf.logicalOr(a(), b()), tf.logicalXor(a(), b())]);
    await expectAgreement(() => [tf.logicalNot(a()), tf.equal(a(), b()), tf.sum(a())]);
  });

  it('prelu, addN, elu gradient', async () => {
    await expectAgreement(() => tf.prelu(tensor([2, 3]), tensor([3], 5)));
    await expectAgreement(() => tf.addN([tensor([2, 3]), tensor([2, 3], 2), tensor([2, 3], 3)]));
    await expectAgreement(() => tf.grad((x: tf.Tensor) => tf.elu(x))(tensor([9])));
  });
});

describe('casts agree with cpu', () => {
  it.each(['float32', 'int32', 'bool'] as const)('to %s', async (dtype) => {
    await expectAgreement(() => tf.cast(tf.tensor1d([...SPECIAL, 3e9, -3e9, 1e20]), dtype));
    await expectAgreement(() => tf.cast(tf.tensor1d([0, 1, -5], 'int32'), dtype));
    await expectAgreement(() => tf.cast(tf.tensor1d([true, false], 'bool'), dtype));
  });
});

describe('reductions agree with cpu', () => {
  const ops: Record<string, (x: tf.Tensor, axis?: number | number[], keep?: boolean) => tf.Tensor> = {
    sum: tf.sum,
    mean: tf.mean,
    max: tf.max,
    min: tf.min,
    prod: tf.prod,
    logSumExp: tf.logSumExp,
  };
  it.each(Object.entries(ops))('%s', async (_, op) => {
    for (const axis of [undefined, 0, 1, -1, [0, 2], [0, 1, 2]]) {
      for (const keep of [false, true]) await expectAgreement(() => op(tensor([3, 4, 5]), axis, keep), 1e-4);
    }
    await expectAgreement(() => op(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), 0));
    await expectAgreement(() => op(tf.scalar(3)));
    await expectAgreement(() => op(tf.tensor2d([NaN, 1, 2, 3], [2, 2]), 1));
    await expectAgreement(() => op(tf.tensor2d([1, NaN, 2, 3], [2, 2]), 1));
    await expectAgreement(() => op(tf.tensor(new Float32Array(0), [0, 3]), 0));
  });

  it('sums over all axes but the last, in pieces and in both storages', async () => {
    for (const rows of [1, 63, 64, 65, 1000]) {
      await expectAgreement(() => tf.sum(tensor([rows, 7]), 0), 1e-4);
      await expectAgreement(() => tf.sum(tensor([rows, 1, 2, 3]), [0, 1, 2], true), 1e-4);
    }
    await on('torch', () =>
      tf.tidy(() => {
        const ones = tf.ones([1000, 1, 1, 3]) as tf.Tensor4D;
        tf.env().set('BFLOAT16_COMPUTE', true);
        // Stored in bfloat16, which could not count to 1000 one by one: the sum is kept wider.
        const stored = tf.conv2d(ones, tf.reshape(tf.eye(3), [1, 1, 3, 3]) as tf.Tensor4D, 1, 'same');
        tf.env().set('BFLOAT16_COMPUTE', false);
        expect([...tf.sum(stored, [0, 1, 2]).dataSync()]).toEqual([1000, 1000, 1000]);
      }),
    );
  });

  it('all, any', async () => {
    const x = () => tf.tensor2d([true, true, false, true], [2, 2], 'bool');
    await expectAgreement(() => [tf.all(x()), tf.all(x(), 1), tf.any(x(), 0, true), tf.any(x(), [0, 1])]);
  });

  it('argMax and argMin take the first of equals and step over NaN', async () => {
    const x = () => tf.tensor2d([3, 1, 3, 1, NaN, 2, 5, NaN, 5], [3, 3]);
    await expectAgreement(() => [tf.argMax(x(), 1), tf.argMin(x(), 1), tf.argMax(x(), 0), tf.argMin(x(), 0)]);
    await expectAgreement(() => tf.argMax(tf.tensor1d([1, 9, 9], 'int32')));
  });

  it('softmax, logSoftmax, topk, cumsum', async () => {
    await expectAgreement(() => [tf.softmax(tensor([3, 5], 1, 20)), tf.logSoftmax(tensor([3, 5], 1, 20))]);
    await expectAgreement(() => {
      const { values, indices } = tf.topk(tf.tensor2d([3, 1, 3, 7, 5, 5, 2, 5], [2, 4]), 3);
      return [values, indices];
    });
    for (const exclusive of [false, true]) {
      for (const reverse of [false, true])
        await expectAgreement(() => tf.cumsum(tensor([3, 4]), 1, exclusive, reverse));
    }
    await expectAgreement(() => tf.cumsum(tf.tensor1d([1, 2, 3], 'int32')));
  });
});

describe('shape kernels agree with cpu', () => {
  const x = () => tensor([2, 3, 4]);
  const cases: Record<string, () => tf.Tensor | tf.Tensor[]> = {
    transpose: () => [tf.transpose(x()), tf.transpose(x(), [1, 0, 2])],
    transposeOfTranspose: () => tf.reshape(tf.transpose(tf.transpose(x(), [2, 0, 1])), [6, 4]),
    concat: () => [tf.concat([x(), x()], 1), tf.concat([tf.tensor(new Float32Array(0), [0, 3, 4]), x()], 0)],
    stack: () => [tf.stack([x(), x()], -1), tf.stack([x(), x()], 1)],
    unstack: () => tf.unstack(x(), 1),
    split: () => [...tf.split(x(), 2, -1), ...tf.split(x(), [1, 2], 1)],
    slice: () => [tf.slice(x(), [0, 1, 1], [2, 2, -1]), tf.slice(x(), [1, 0, 0], [0, 3, 4])],
    stridedSlice: () => [tf.stridedSlice(x(), [0, 2, 3], [2, 0, 0], [1, -1, -2]), tf.stridedSlice(x(), [1], [2], [1])],
    shrink: () => tf.stridedSlice(x(), [1, 0], [2, 3], [1, 1], 0, 0, 0, 0, 1),
    pad: () => [
      tf.pad(
        x(),
        [
          [1, 0],
          [0, 2],
          [1, 1],
        ],
        7,
      ),
      tf.pad(tf.tensor1d([1, 2], 'int32'), [[1, 1]]),
    ],
    mirrorPad: () => [
      tf.mirrorPad(
        x(),
        [
          [1, 1],
          [2, 0],
          [0, 3],
        ],
        'reflect',
      ),
      tf.mirrorPad(
        x(),
        [
          [2, 1],
          [3, 0],
          [0, 4],
        ],
        'symmetric',
      ),
    ],
    tile: () => tf.tile(x(), [1, 2, 3]),
    broadcastTo: () => tf.broadcastTo(tensor([3, 1]), [2, 3, 4]),
    reverse: () => [tf.reverse(x()), tf.reverse(x(), [0, -1])],
    gather: () => [
      tf.gather(x(), tf.tensor1d([2, 0], 'int32'), 1),
      tf.gather(x(), tf.tensor2d([1, 0, 1, 1], [2, 2], 'int32')),
    ],
    batchGather: () => tf.gather(x(), tf.tensor2d([1, 0, 1, 1], [2, 2], 'int32'), 1, 1),
    expandDims: () => [tf.expandDims(x(), 1), tf.expandDims(x(), -1), tf.squeeze(tf.expandDims(x()))],
    oneHot: () => tf.oneHot(tf.tensor1d([0, 2, 5, -1], 'int32'), 4, 3, -1),
    fill: () => [tf.fill([2, 2], 1.5), tf.fill([2], 3, 'int32'), tf.zeros([3]), tf.ones([2], 'bool')],
    range: () => [tf.range(0, 5), tf.linspace(0, 1, 4)],
    resize: () => tf.image.resizeBilinear(tensor([1, 3, 3, 2]) as tf.Tensor4D, [5, 4]),
    eye: () => tf.eye(3),
  };
  it.each(Object.entries(cases))('%s', async (_, run) => {
    await expectAgreement(run);
  });
});

describe('matrix products agree with cpu', () => {
  it('ranks, transposes and batches', async () => {
    await expectAgreement(() => tf.matMul(tensor([3, 4]), tensor([4, 5], 2)));
    await expectAgreement(() => tf.matMul(tensor([4, 3]), tensor([5, 4], 2), true, true));
    await expectAgreement(() => tf.matMul(tensor([2, 3, 4]), tensor([2, 4, 5], 2)));
    await expectAgreement(() => tf.matMul(tensor([3, 4, 3]), tensor([1, 4, 5], 2), true));
    await expectAgreement(() => tf.matMul(tensor([0, 4]), tensor([4, 5], 2)));
    await expectAgreement(() => tf.dot(tensor([4]), tensor([4], 2)));
  });

  it('products large enough to be shared out over threads', async () => {
    await expectAgreement(() => tf.matMul(tensor([130, 90]), tensor([90, 110], 2)), 1e-4);
    await expectAgreement(() => tf.matMul(tensor([70, 150]), tensor([150, 190], 2)), 1e-4);
  });

  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const)('fused with %s', async (activation) => {
    await expectAgreement(() => {
      const bias = tensor([5], 3) as tf.Tensor1D;
      return tf.fused.matMul({ a: tensor([3, 4]), b: tensor([4, 5], 2), bias, activation, leakyreluAlpha: 0.3 });
    });
  });
});

describe('kernels that go through the cpu backend', () => {
  it('strings and complex numbers', async () => {
    await tf.setBackend('torch');
    const words = tf.tensor1d(['a', 'bc', 'a']);
    const equal = tf.equal(words, tf.tensor1d(['a', 'b', 'a']));
    if (equal.dataSync().join() !== '1,0,1') throw new Error(`got ${equal.dataSync().join()}`);
    await expectAgreement(() => {
      const z = tf.complex(tensor([4]), tensor([4], 2));
      return [tf.real(z), tf.imag(tf.mul(z, z)), tf.real(tf.fft(z)), tf.abs(z)];
    });
  });

  it('einsum, conv3d, crop and resize, unique, cumprod', async () => {
    await expectAgreement(() => tf.einsum('ij,jk->ik', tensor([2, 3]), tensor([3, 4], 2)));
    await expectAgreement(() =>
      tf.conv3d(tensor([1, 3, 3, 3, 2]) as tf.Tensor5D, tensor([2, 2, 2, 2, 3], 2) as tf.Tensor5D, 1, 'same'),
    );
    await expectAgreement(() => [tf.unique(tf.tensor1d([1, 1, 2])).values, tf.cumprod(tensor([5]))]);
  });
});
