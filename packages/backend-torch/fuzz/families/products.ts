import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { family } from '../family.ts';
import * as draw from '../generators.ts';

type Pad = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
type Rounding = 'floor' | 'round' | 'ceil' | undefined;
type Activation = 'linear' | 'relu' | 'relu6' | 'elu' | 'sigmoid' | 'leakyrelu';
type Pair = [number, number];

const activation = draw.oneOf<Activation>('linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu');
/** Few, and the widths around which vector code and oneDNN's blocks change. */
const channels = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: draw.oneOf(0, 8, 16, 17) },
);
const batch = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: fc.constant(0) },
);
const extent = fc.integer({ min: 1, max: 7 });
const reach = fc.integer({ min: 1, max: 4 });
const pairOf = (one: fc.Arbitrary<number>): fc.Arbitrary<Pair> => fc.tuple(one, one);

const explicitPad: fc.Arbitrary<tf.backend_util.ExplicitPadding> = fc
  .tuple(pairOf(draw.upTo(3)), pairOf(draw.upTo(3)))
  .map(([rows, columns]) => [[0, 0], rows, columns, [0, 0]]);

const padding: fc.Arbitrary<{ pad: Pad; rounding: Rounding }> = fc.oneof(
  fc.record({ pad: draw.oneOf<Pad>('same', 'valid'), rounding: fc.constant<Rounding>(undefined) }),
  fc.record({ pad: draw.upTo(3) as fc.Arbitrary<Pad>, rounding: draw.oneOf<Rounding>('floor', 'round', 'ceil') }),
  fc.record({ pad: explicitPad as fc.Arbitrary<Pad>, rounding: draw.oneOf<Rounding>('floor', 'round', 'ceil') }),
);

/** tfjs takes strides or dilations above 1, not both. */
const steps: fc.Arbitrary<{ strides: Pair; dilations: Pair }> = fc.oneof(
  fc.record({ strides: pairOf(fc.integer({ min: 1, max: 3 })), dilations: fc.constant<Pair>([1, 1]) }),
  fc.record({ strides: fc.constant<Pair>([1, 1]), dilations: pairOf(fc.integer({ min: 1, max: 3 })) }),
);

const window = fc.record({
  batch,
  size: pairOf(extent),
  filter: pairOf(reach),
  in: channels,
  out: channels,
  padding,
  steps,
});

export const products = [
  family('matMul', {
    cases: fc
      .record({
        // cpu broadcasts only a batch that repeats as a whole.
        batches: fc
          .tuple(draw.filledShape({ max: 3 }), draw.upTo(3), fc.boolean())
          .map(([whole, dropped, swap]) => (swap ? [whole.slice(dropped), whole] : [whole, whole.slice(dropped)])),
        m: draw.upTo(6),
        k: draw.upTo(6),
        n: draw.upTo(6),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
      })
      .chain(({ batches: [batchA, batchB], m, k, n, transposeA, transposeB }) =>
        fc.record({
          inputs: fc.tuple(
            draw.tensorOf([...batchA!, ...(transposeA ? [k, m] : [m, k])]),
            draw.tensorOf([...batchB!, ...(transposeB ? [n, k] : [k, n])]),
          ),
          options: fc.constant({ transposeA, transposeB }),
        }),
      ),
    run: ([a, b], { transposeA, transposeB }) => tf.matMul(a!, b!, transposeA, transposeB),
    hasGradient: true,
  }),

  family('fusedMatMul', {
    cases: fc
      .record({ m: draw.upTo(6), k: draw.upTo(6), n: draw.upTo(6), batch: draw.upTo(3), activation })
      .chain(({ m, k, n, batch, activation }) =>
        fc.record({
          inputs: fc.tuple(
            draw.tensorOf(batch > 0 ? [batch, m, k] : [m, k]),
            draw.tensorOf(batch > 0 ? [batch, k, n] : [k, n]),
            draw.tensorOf([n]),
          ),
          options: fc.constant(activation),
        }),
      ),
    run: ([a, b, bias], activation) =>
      tf.fused.matMul({ a: a!, b: b!, bias: bias as tf.Tensor1D, activation, leakyreluAlpha: 0.3 }),
    hasGradient: true,
  }),

  family('conv2d', {
    cases: window.chain((w) =>
      fc.record({
        inputs: fc.tuple(draw.tensorOf([w.batch, ...w.size, w.in]), draw.tensorOf([...w.filter, w.in, w.out])),
        options: fc.constant({ ...w.steps, ...w.padding }),
      }),
    ),
    run: ([x, filter], { strides, dilations, pad, rounding }) =>
      tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC', dilations, rounding),
    hasGradient: true,
    tolerance: 1e-4,
  }),

  family('conv2d NCHW', {
    cases: window.chain((w) =>
      fc.record({
        inputs: fc.tuple(draw.tensorOf([w.batch, w.in, ...w.size]), draw.tensorOf([...w.filter, w.in, w.out])),
        options: fc.constant({ ...w.steps, ...w.padding }),
      }),
    ),
    run: ([x, filter], { strides, dilations, pad, rounding }) =>
      tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NCHW', dilations, rounding),
    hasGradient: true,
    tolerance: 1e-4,
  }),

  family('conv3d', {
    cases: fc
      .record({
        batch: fc.integer({ min: 1, max: 2 }),
        size: fc.tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 2, max: 4 }), fc.integer({ min: 2, max: 4 })),
        filter: fc.tuple(draw.oneOf(1, 2), draw.oneOf(1, 2), draw.oneOf(1, 2)),
        in: fc.integer({ min: 1, max: 3 }),
        out: fc.integer({ min: 1, max: 3 }),
        strides: fc.integer({ min: 1, max: 2 }),
        pad: draw.oneOf<'same' | 'valid'>('same', 'valid'),
      })
      .chain((w) =>
        fc.record({
          inputs: fc.tuple(draw.tensorOf([w.batch, ...w.size, w.in]), draw.tensorOf([...w.filter, w.in, w.out])),
          options: fc.constant({ strides: w.strides, pad: w.pad }),
        }),
      ),
    run: ([x, filter], { strides, pad }) => tf.conv3d(x as tf.Tensor5D, filter as tf.Tensor5D, strides, pad),
    hasGradient: true,
    tolerance: 1e-4,
  }),

  family('einsum', {
    cases: fc
      .tuple(
        draw.oneOf('ij,jk->ik', 'bij,bjk->bik', 'ij,kj->ik', 'i,j->ij', 'bij,bij->b', 'ij->ji', 'bij->bj', 'ij->'),
        fc.tuple(...draw.range(4).map(() => fc.integer({ min: 1, max: 4 }))),
      )
      .chain(([equation, lengths]) => {
        const lengthOf = (axis: string) => lengths['bijk'.indexOf(axis)]!;
        const operands = equation.split('->')[0]!.split(',');
        return fc.record({
          inputs: fc.tuple(...operands.map((axes) => draw.tensorOf([...axes].map(lengthOf)))),
          options: fc.constant(equation),
        });
      }),
    run: (operands, equation) => tf.einsum(equation, ...operands),
    tolerance: 1e-4,
  }),

  family('fusedConv2d', {
    cases: fc.tuple(window, activation, fc.boolean()).chain(([w, activation, depthwise]) =>
      fc.record({
        inputs: fc.tuple(
          draw.tensorOf([w.batch, ...w.size, w.in]),
          draw.tensorOf([...w.filter, w.in, depthwise ? 2 : w.out]),
          draw.tensorOf([depthwise ? 2 * w.in : w.out]),
        ),
        options: fc.constant({ ...w.steps, ...w.padding, activation, depthwise }),
      }),
    ),
    run: ([x, filter, bias], { strides, dilations, pad, rounding, activation, depthwise }) =>
      // Its type leaves out the explicit paddings that its code takes.
      (depthwise ? (tf.fused.depthwiseConv2d as typeof tf.fused.conv2d) : tf.fused.conv2d)({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        bias: bias!,
        strides,
        dilations,
        pad,
        activation,
        leakyreluAlpha: 0.3,
        ...(rounding ? { dimRoundingMode: rounding } : {}),
      }),
    hasGradient: true,
    tolerance: 1e-4,
  }),

  family('depthwiseConv2d', {
    cases: fc.tuple(window, fc.integer({ min: 1, max: 3 })).chain(([w, multiplier]) =>
      fc.record({
        inputs: fc.tuple(draw.tensorOf([w.batch, ...w.size, w.in]), draw.tensorOf([...w.filter, w.in, multiplier])),
        options: fc.constant({ ...w.steps, ...w.padding }),
      }),
    ),
    run: ([x, filter], { strides, dilations, pad, rounding }) =>
      tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, 'NHWC', dilations, rounding),
    hasGradient: true,
    tolerance: 1e-4,
  }),

  family('conv2dTranspose', {
    cases: fc
      .tuple(window, draw.oneOf<'same' | 'valid'>('same', 'valid'), pairOf(draw.upTo(2)))
      .chain(([w, pad, more]) => {
        const [strideH, strideW] = w.steps.strides;
        const outputSize = (size: number, filter: number, stride: number, more: number) =>
          (size - 1) * stride + (pad === 'same' ? 1 : filter) + (more % stride);
        const height = outputSize(w.size[0], w.filter[0], strideH, more[0]);
        const width = outputSize(w.size[1], w.filter[1], strideW, more[1]);
        return fc.record({
          inputs: fc.tuple(draw.tensorOf([w.batch, ...w.size, w.in]), draw.tensorOf([...w.filter, w.out, w.in])),
          options: fc.constant({
            outputShape: [w.batch, height, width, w.out] as [number, number, number, number],
            strides: w.steps.strides,
            pad,
          }),
        });
      }),
    run: ([x, filter], { outputShape, strides, pad }) =>
      tf.conv2dTranspose(x as tf.Tensor4D, filter as tf.Tensor4D, outputShape, strides, pad),
    hasGradient: true,
    tolerance: 1e-4,
  }),

  family('pool', {
    cases: fc
      .tuple(window, draw.oneOf<'max' | 'avg'>('max', 'avg'), draw.oneOf<draw.Values>({}, { fill: 'ties' }))
      .chain(([w, kind, values]) =>
        fc.record({
          inputs: fc.tuple(draw.tensorOf([w.batch, ...w.size, w.in], values)),
          options: fc.constant({ kind, filter: w.filter, strides: w.steps.strides, ...w.padding }),
        }),
      ),
    run: ([x], { kind, filter, strides, pad, rounding }) =>
      (kind === 'max' ? tf.maxPool : tf.avgPool)(x as tf.Tensor4D, filter, strides, pad, rounding),
    hasGradient: true,
  }),

  family('batchNorm', {
    cases: fc
      .tuple(draw.filledShape({ min: 2, max: 4 }), fc.boolean(), fc.boolean())
      .chain(([shape, withOffset, withScale]) => {
        const channels = [shape.at(-1)!];
        return fc.record({
          inputs: fc.tuple(
            draw.tensorOf(shape),
            draw.tensorOf(channels),
            draw.tensorOf(channels, { fill: 'positive' }),
            ...(withOffset ? [draw.tensorOf(channels)] : []),
            ...(withScale ? [draw.tensorOf(channels)] : []),
          ),
          options: fc.constant({ withOffset, withScale }),
        });
      }),
    run: ([x, mean, variance, ...rest], { withOffset, withScale }) => {
      const offset = withOffset ? rest[0] : undefined;
      const scale = withScale ? rest[withOffset ? 1 : 0] : undefined;
      return tf.batchNorm(
        x!,
        mean as tf.Tensor1D,
        variance as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
      );
    },
    hasGradient: true,
    tolerance: 1e-4,
  }),
];
