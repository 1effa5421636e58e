import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectAgreement, tensor } from './helpers.ts';

type Pad = 'same' | 'valid' | number | [[0, 0], [number, number], [number, number], [0, 0]];

const convolution = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 9 }),
  inputs: fc.integer({ min: 1, max: 5 }),
  outputs: fc.integer({ min: 1, max: 5 }),
  filterHeight: fc.integer({ min: 1, max: 4 }),
  filterWidth: fc.integer({ min: 1, max: 4 }),
  stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  dilation: fc.integer({ min: 1, max: 2 }),
  pad: fc.oneof(
    fc.constantFrom<Pad>('same', 'valid', 0, 1, 2),
    fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)).map(
      ([t, b, l, r]): Pad => [
        [0, 0],
        [t, b],
        [l, r],
        [0, 0],
      ],
    ),
  ),
});
type Case = typeof convolution extends fc.Arbitrary<infer T> ? T : never;

/** What the cpu backend computes must exist: the filter fits into the padded input. */
function fits({ height, width, filterHeight, filterWidth, dilation, pad }: Case): boolean {
  const around = (axis: 1 | 2) =>
    Array.isArray(pad) ? pad[axis][0] + pad[axis][1] : typeof pad === 'number' ? 2 * pad : 0;
  const reach = (size: number) => dilation * (size - 1) + 1;
  return pad === 'same' || (reach(filterHeight) <= height + around(1) && reach(filterWidth) <= width + around(2));
}

const settings = { numRuns: 60, seed: 7 };

describe('convolutions agree with cpu for random shapes', () => {
  it('forward and gradients', async () => {
    await fc.assert(
      fc.asyncProperty(convolution, async (c) => {
        const shape = [c.batch, c.height, c.width, c.inputs];
        // tfjs has gradients for dilation 1, and dilates only with stride 1.
        const plain = { ...c, dilation: 1 };
        fc.pre(fits(plain));
        const run = (x: tf.Tensor, filter: tf.Tensor) =>
          tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, c.stride, c.pad);
        const filter = () => tensor([c.filterHeight, c.filterWidth, c.inputs, c.outputs], 2);
        await expectAgreement(() => run(tensor(shape), filter()), 1e-4);
        await expectAgreement(() => {
          const y = run(tensor(shape), filter());
          return tf.grads(run)([tensor(shape), filter()], tensor(y.shape, 3));
        }, 1e-4);
      }),
      settings,
    );
  });

  const smallMap = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 4 }),
    width: fc.integer({ min: 1, max: 4 }),
    inputs: fc.integer({ min: 1, max: 4 }),
    outputs: fc.integer({ min: 1, max: 6 }),
    filterHeight: fc.integer({ min: 1, max: 5 }),
    filterWidth: fc.integer({ min: 1, max: 5 }),
    bfloat16: fc.boolean(),
  });

  // Whole numbers that bfloat16 holds exactly, sums included, so that both precisions must give the same.
  it('small maps, which become matrix products, forward and gradients, in either precision', async () => {
    await fc.assert(
      fc.asyncProperty(smallMap, fc.constantFrom<Pad>('same', 'valid', 1, 2), async (c, pad) => {
        fc.pre(fits({ ...c, stride: [1, 1], dilation: 1, pad }));
        const whole = (shape: number[], seed: number) => tf.round(tensor(shape, seed));
        const shape = [c.batch, c.height, c.width, c.inputs];
        const run = (x: tf.Tensor, filter: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, pad);
        tf.env().set('BFLOAT16_COMPUTE', c.bfloat16);
        try {
          await expectAgreement(() => {
            const inputs = [whole(shape, 1), whole([c.filterHeight, c.filterWidth, c.inputs, c.outputs], 2)] as const;
            const y = run(...inputs);
            return [y, ...tf.grads(run)([...inputs], whole(y.shape, 3))];
          }, 0);
        } finally {
          tf.env().set('BFLOAT16_COMPUTE', false);
        }
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  it('and find the filter as it was, which the first convolution moves to another layout', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(fc.constantFrom(1, 3), fc.constantFrom(1, 2, 17, 40), fc.constantFrom(1, 5, 16, 33)),
        async ([size, inputs, outputs]) => {
          await expectAgreement(() => {
            const filter = tensor([size, size, inputs, outputs]) as tf.Tensor4D;
            const [flat, variable] = [tf.reshape(filter, [-1, outputs]), tf.variable(filter)];
            const x = tensor([2, 5, 5, inputs], 2) as tf.Tensor4D;
            const results = [
              tf.conv2d(x, filter, 1, 'same'),
              tf.conv2d(x, variable as tf.Tensor4D, 1, 'same'),
              filter,
              tf.add(filter, 1),
              tf.sum(variable, [0, 1, 2]),
              tf.slice(filter, [0, 0, 0, 0], [1, size, inputs, 1]),
              tf.reshape(filter, [outputs, -1]),
              tf.transpose(filter, [2, 3, 0, 1]),
              flat,
            ].map((result) => tf.clone(result));
            variable.dispose();
            return results;
          }, 1e-5);
        },
      ),
      { numRuns: 24, seed: 3 },
    );
  });

  const narrow = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 40 }),
    width: fc.integer({ min: 1, max: 9 }),
    inputs: fc.constantFrom(8, 13, 16, 24, 36),
    outputs: fc.constantFrom(1, 16, 19, 32),
    filterHeight: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 3 }),
    bfloat16: fc.boolean(),
  });

  it('weight gradients of narrow filters that are three wide, in either precision', async () => {
    await fc.assert(
      fc.asyncProperty(narrow, fc.constantFrom<Pad>('same', 'valid', 1, 2), async (c, pad) => {
        const filterShape = [c.filterHeight, 3, c.inputs, c.outputs];
        fc.pre(fits({ ...c, filterWidth: 3, stride: [c.stride, c.stride], dilation: 1, pad }));
        const whole = (shape: number[], seed: number) => tf.round(tensor(shape, seed));
        const x = [c.batch, c.height, c.width, c.inputs];
        const y = tf.conv2d(tensor(x) as tf.Tensor4D, tensor(filterShape) as tf.Tensor4D, c.stride, pad).shape;
        tf.env().set('BFLOAT16_COMPUTE', c.bfloat16);
        try {
          await expectAgreement(
            () =>
              tf
                .engine()
                .runKernel(
                  'Conv2DBackpropFilter',
                  { x: whole(x, 1), dy: whole(y, 2) },
                  { strides: [c.stride, c.stride], pad, dataFormat: 'NHWC', filterShape },
                ) as tf.Tensor,
            0,
          );
        } finally {
          tf.env().set('BFLOAT16_COMPUTE', false);
        }
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it('dilated', async () => {
    await fc.assert(
      fc.asyncProperty(convolution, async (c) => {
        // With a number for the padding tfjs computes the output's size from the undilated filter.
        fc.pre(fits(c) && typeof c.pad !== 'number');
        await expectAgreement(
          () =>
            tf.conv2d(
              tensor([c.batch, c.height, c.width, c.inputs]) as tf.Tensor4D,
              tensor([c.filterHeight, c.filterWidth, c.inputs, c.outputs], 2) as tf.Tensor4D,
              1,
              c.pad,
              'NHWC',
              c.dilation,
            ),
          1e-4,
        );
      }),
      settings,
    );
  });

  it('depthwise, forward and gradients', async () => {
    await fc.assert(
      fc.asyncProperty(convolution, async (c) => {
        const stride = c.stride[0];
        const pad = Array.isArray(c.pad) ? 'same' : c.pad;
        const plain = { ...c, dilation: 1, pad };
        fc.pre(fits(plain));
        const shape = [c.batch, c.height, c.width, c.inputs];
        const filter = () => tensor([c.filterHeight, c.filterWidth, c.inputs, 2], 2);
        const run = (x: tf.Tensor, f: tf.Tensor) => tf.depthwiseConv2d(x as tf.Tensor4D, f as tf.Tensor4D, stride, pad);
        await expectAgreement(() => {
          const y = run(tensor(shape), filter());
          return [y, ...tf.grads(run)([tensor(shape), filter()], tensor(y.shape, 3))];
        }, 1e-4);
      }),
      settings,
    );
  });

  it('transposed', async () => {
    await expectAgreement(
      () =>
        tf.conv2dTranspose(
          tensor([2, 3, 4, 3]) as tf.Tensor4D,
          tensor([3, 3, 2, 3], 2) as tf.Tensor4D,
          [2, 6, 8, 2],
          2,
          'same',
        ),
      1e-4,
    );
  });

  it('channels first and grouped filters go through cpu', async () => {
    await expectAgreement(
      () => tf.conv2d(tensor([2, 3, 5, 5]) as tf.Tensor4D, tensor([3, 3, 3, 2], 2) as tf.Tensor4D, 1, 'same', 'NCHW'),
      1e-4,
    );
  });
});

describe('fused convolutions agree with cpu', () => {
  it.each(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const)('%s', async (activation) => {
    const prelu = () => (activation === 'prelu' ? { preluActivationWeights: tensor([1, 1, 4], 4) as tf.Tensor3D } : {});
    await expectAgreement(
      () =>
        tf.fused.conv2d({
          x: tensor([2, 5, 5, 3]) as tf.Tensor4D,
          filter: tensor([3, 3, 3, 4], 2) as tf.Tensor4D,
          strides: 2,
          pad: 'same',
          bias: tensor([4], 3) as tf.Tensor1D,
          activation,
          leakyreluAlpha: 0.3,
          ...prelu(),
        }),
      1e-4,
    );
  });

  it('depthwise with bias and relu6', async () => {
    await expectAgreement(
      () =>
        tf.fused.depthwiseConv2d({
          x: tensor([2, 5, 5, 3]) as tf.Tensor4D,
          filter: tensor([3, 3, 3, 2], 2) as tf.Tensor4D,
          strides: 1,
          pad: 'valid',
          bias: tensor([6], 3) as tf.Tensor1D,
          activation: 'relu6',
        }),
      1e-4,
    );
  });

  it('gradients of a fused layer', async () => {
    await expectAgreement(() => {
      const loss = (x: tf.Tensor, filter: tf.Tensor, bias: tf.Tensor) =>
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: filter as tf.Tensor4D,
          strides: 1,
          pad: 'same',
          bias: bias as tf.Tensor1D,
          activation: 'relu',
        });
      return tf.grads(loss)([tensor([2, 4, 4, 3]), tensor([3, 3, 3, 4], 2), tensor([4], 3)]);
    }, 1e-4);
  });
});

describe('exact zeros stay exact', () => {
  it('in convolutions and their gradients, at every size that could tempt an algorithm', async () => {
    await tf.setBackend('torch');
    tf.tidy(() => {
      const x = tensor([4, 16, 16, 32]) as tf.Tensor4D;
      const half = tf.concat([tf.zeros([3, 3, 32, 16]), tensor([3, 3, 32, 16], 2)], 3) as tf.Tensor4D;
      const y = tf.conv2d(x, half, 1, 'same');
      const dead = tf.slice(y, [0, 0, 0, 0], [-1, -1, -1, 16]).dataSync();
      expect(dead.every((value) => value === 0)).toBe(true);
      const dy = tf.mul(
        tensor([4, 16, 16, 32], 3),
        tf.concat([tf.zeros([2, 16, 16, 32]), tf.ones([2, 16, 16, 32])], 0),
      );
      const [dx] = tf.grads((a: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, half, 1, 'same'))([x], dy);
      expect(
        tf
          .slice(dx!, [0, 0, 0, 0], [2, -1, -1, -1])
          .dataSync()
          .every((value) => value === 0),
      ).toBe(true);
    });
  });

  it('and denormals are not flushed', async () => {
    await expectAgreement(() => tf.mul(tf.tensor1d([1e-30, 1e-40]), tf.tensor1d([1e-12, 0.5])), 0);
    await tf.setBackend('torch');
    expect(tf.mul(tf.tensor1d([1e-30]), tf.tensor1d([1e-12])).dataSync()[0]).toBeGreaterThan(0);
  });
});

const pooling = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 9 }),
  channels: fc.integer({ min: 1, max: 20 }),
  filter: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  pad: fc.constantFrom('same' as const, 'valid' as const),
});

describe('pooling agrees with cpu for random shapes', () => {
  it.each([
    ['max', tf.maxPool],
    ['average', tf.avgPool],
  ] as const)('%s, forward and gradient, with ties', async (_, pool) => {
    await fc.assert(
      fc.asyncProperty(pooling, async (p) => {
        fc.pre(p.pad === 'same' || (p.filter[0] <= p.height && p.filter[1] <= p.width));
        const run = (x: tf.Tensor) => pool(x as tf.Tensor4D, p.filter, p.stride, p.pad);
        // Few distinct values, so that maxima are often shared.
        const x = () => tf.round(tensor([p.batch, p.height, p.width, p.channels], 4));
        await expectAgreement(() => {
          const y = run(x());
          return [y, tf.grad(run)(x(), tensor(y.shape, 5))];
        });
      }),
      settings,
    );
  });

  it('sends the gradient of a 2x2 window to its first maximum', async () => {
    await tf.setBackend('torch');
    const x = tf.tensor4d([1, 3, 3, 3, 2, 2, 2, 2], [1, 2, 4, 1]);
    const dx = tf.grad((a: tf.Tensor) => tf.maxPool(a as tf.Tensor4D, 2, 2, 'valid'))(
      x,
      tf.tensor4d([5, 7], [1, 1, 2, 1]),
    );
    expect(Array.from(dx.dataSync())).toEqual([0, 5, 7, 0, 0, 0, 0, 0]);
  });
});

it('batch norm of tf.layers in inference agrees with cpu', async () => {
  await expectAgreement(() =>
    tf.batchNorm(
      tensor([2, 3, 3, 5]) as tf.Tensor4D,
      tensor([5], 2) as tf.Tensor1D,
      tf.abs(tensor([5], 3)) as tf.Tensor1D,
      tensor([5], 4) as tf.Tensor1D,
      tensor([5], 5) as tf.Tensor1D,
      1e-3,
    ),
  );
});
