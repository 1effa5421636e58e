import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { setPrecision } from '../../src/index.ts';
import { family } from '../family.ts';
import * as draw from '../generators.ts';

/** Small whole numbers: their products are exact in bfloat16, so that only the result is rounded, to 8 bits. */
const WHOLE = { fill: 'ties' } as const;
const ROUNDING = 2 ** -8;

/** In bfloat16 on torch; tfjs-backend-cpu knows no such precision. */
function inBfloat16<Result>(run: () => Result): Result {
  setPrecision('bfloat16');
  try {
    return run();
  } finally {
    setPrecision('float32');
  }
}

export const bfloat16 = [
  family('conv2d in bfloat16', {
    cases: fc
      .record({
        batch: fc.integer({ min: 1, max: 3 }),
        size: fc.integer({ min: 1, max: 7 }),
        filter: fc.integer({ min: 1, max: 4 }),
        from: fc.constantFrom(1, 3, 8, 17),
        to: fc.constantFrom(1, 3, 8, 17),
        stride: fc.integer({ min: 1, max: 3 }),
        pad: fc.constantFrom<'same' | 'valid' | number>('same', 'valid', 1),
      })
      .chain(({ batch, size, filter, from, to, stride, pad }) =>
        fc.record({
          inputs: fc.tuple(
            draw.tensorOf([batch, size, size, from], WHOLE),
            draw.tensorOf([filter, filter, from, to], WHOLE),
          ),
          options: fc.constant({ stride, pad }),
        }),
      ),
    run: ([x, filter], { stride, pad }) =>
      inBfloat16(() => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, pad)),
    tolerance: ROUNDING,
  }),

  family('matMul in bfloat16', {
    cases: fc.tuple(draw.upTo(9), draw.upTo(40), draw.upTo(9), fc.boolean()).chain(([m, k, n, batched]) =>
      fc.record({
        inputs: fc.tuple(
          draw.tensorOf(batched ? [2, m, k] : [m, k], WHOLE),
          draw.tensorOf(batched ? [2, k, n] : [k, n], WHOLE),
        ),
        options: fc.constant(undefined),
      }),
    ),
    run: ([a, b]) => inBfloat16(() => tf.matMul(a!, b!)),
    tolerance: ROUNDING,
  }),

  family('fusedConv2d in bfloat16', {
    cases: fc
      .tuple(fc.integer({ min: 3, max: 6 }), fc.constantFrom(1, 4, 16), fc.constantFrom('linear', 'relu', 'relu6'))
      .chain(([size, channels, activation]) =>
        fc.record({
          inputs: fc.tuple(
            draw.tensorOf([2, size, size, channels], WHOLE),
            draw.tensorOf([3, 3, channels, 5], WHOLE),
            draw.tensorOf([5], WHOLE),
          ),
          options: fc.constant(activation as 'linear' | 'relu' | 'relu6'),
        }),
      ),
    run: ([x, filter, bias], activation) =>
      inBfloat16(() =>
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: filter as tf.Tensor4D,
          bias: bias!,
          strides: 1,
          pad: 'same',
          activation,
        }),
      ),
    tolerance: ROUNDING,
  }),
];
