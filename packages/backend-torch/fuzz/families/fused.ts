import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { family } from '../family.ts';
import * as draw from '../generators.ts';

// Plain tfjs has not these kernels: on torch they run, on cpu the same is composed of plain operations.

type Tensors = Record<string, tf.Tensor>;
type Attrs = Record<string, number | boolean | string>;

function fused(name: string, inputs: Tensors, attrs: Attrs, composed: () => tf.Tensor[]): tf.Tensor[] {
  if (tf.getBackend() !== 'torch') return composed();
  return [tf.engine().runKernel(name, inputs, attrs)].flat() as tf.Tensor[];
}

const EPSILON = 1e-3;

/** Of x [..., C] over all but its last axis; a batch's variance divides by its size. */
function statistics(x: tf.Tensor) {
  const axes = draw.range(x.rank - 1);
  return { axes, ...tf.moments(x, axes) };
}

function normalised(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor {
  const { mean, variance } = statistics(x);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, EPSILON))), scale), offset);
}

const activation = draw.oneOf<Activation>('linear', 'relu', 'relu6');

type Activation = 'linear' | 'relu' | 'relu6';

function activate(y: tf.Tensor, activation: Activation): tf.Tensor {
  if (activation === 'relu') return tf.relu(y);
  return activation === 'relu6' ? tf.clipByValue(y, 0, 6) : y;
}
const map = draw.filledShape({ min: 2, max: 4 });

export const fusedKernels = [
  family('BatchNormTraining', {
    cases: fc
      .tuple(map, activation, fc.boolean(), fc.boolean())
      .chain(([shape, activation, withResidual, unbiasedVariance]) => {
        const channels = [shape.at(-1)!];
        return fc.record({
          inputs: fc.tuple(
            draw.tensorOf(shape),
            draw.tensorOf(channels),
            draw.tensorOf(channels),
            draw.tensorOf(channels),
            draw.tensorOf(channels, { fill: 'positive' }),
            ...(withResidual ? [draw.tensorOf(shape)] : []),
          ),
          options: fc.constant({ activation, unbiasedVariance }),
        });
      }),
    run: ([x, scale, offset, movingMean, movingVariance, residual], { activation, unbiasedVariance }) => {
      const inputs = { x, scale, offset, movingMean, movingVariance, ...(residual && { residual }) } as Tensors;
      const attrs = { epsilon: EPSILON, momentum: 0.9, activation, unbiasedVariance };
      return fused('BatchNormTraining', inputs, attrs, () => {
        const { mean, variance } = statistics(x!);
        const samples = x!.size / mean.size;
        const sum = residual ? tf.add(normalised(x!, scale!, offset!), residual) : normalised(x!, scale!, offset!);
        const correction = unbiasedVariance && samples > 1 ? samples / (samples - 1) : 1;
        const moved = (old: tf.Tensor, value: tf.Tensor) => tf.add(tf.mul(old, 0.9), tf.mul(value, 0.1));
        return [
          activate(sum, activation),
          mean,
          tf.rsqrt(tf.add(variance, EPSILON)),
          moved(movingMean!, mean),
          moved(movingVariance!, tf.mul(variance, correction)),
        ];
      });
    },
    tolerance: 1e-4,
  }),

  family('BatchNormTrainingGrad', {
    cases: fc.tuple(map, activation).chain(([shape, activation]) => {
      const channels = [shape.at(-1)!];
      return fc.record({
        inputs: fc.tuple(
          draw.tensorOf(shape),
          draw.tensorOf(shape),
          draw.tensorOf(channels),
          draw.tensorOf(channels, { fill: 'positive' }),
        ),
        options: fc.constant(activation),
      });
    }),
    run: ([dy, x, scale, offset], activation) => {
      const forward = (...[x, scale, offset]: tf.Tensor[]) => {
        const y = normalised(x!, scale!, offset!);
        return activate(y, activation);
      };
      const { mean, variance } = statistics(x!);
      const inverseStd = tf.rsqrt(tf.add(variance, EPSILON));
      const y = forward(x!, scale!, offset!);
      const inputs = { dy, x, y, scale, mean, inverseStd } as Tensors;
      return fused('BatchNormTrainingGrad', inputs, { activation, residual: false }, () =>
        tf.grads(forward)([x!, scale!, offset!], dy),
      );
    },
    tolerance: 1e-3,
  }),

  family('BatchNormInference', {
    cases: fc.tuple(map, activation, fc.boolean()).chain(([shape, activation, withResidual]) => {
      const channels = [shape.at(-1)!];
      return fc.record({
        inputs: fc.tuple(
          draw.tensorOf(shape),
          draw.tensorOf(channels),
          draw.tensorOf(channels, { fill: 'positive' }),
          draw.tensorOf(channels),
          draw.tensorOf(channels),
          draw.tensorOf(shape),
          ...(withResidual ? [draw.tensorOf(shape)] : []),
        ),
        options: fc.constant(activation),
      });
    }),
    run: ([x, mean, variance, offset, scale, dy, residual], activation) => {
      const forward = (...[x, residual]: tf.Tensor[]): tf.Tensor => {
        const y: tf.Tensor = tf.batchNorm(x!, mean as tf.Tensor1D, variance as tf.Tensor1D, offset, scale, EPSILON);
        return activate(residual ? tf.add(y, residual) : y, activation);
      };
      const given = residual ? [x!, residual] : [x!];
      const inputs = { x, mean, variance, offset, scale, ...(residual && { residual }) } as Tensors;
      const attrs = { epsilon: EPSILON, activation };
      const [y, open] = fused('BatchNormInference', inputs, attrs, () => [forward(...given)]);
      const gradients = fused(
        'BatchNormInferenceGrad',
        { dy: dy!, variance: variance!, scale: scale!, ...(open && { open }) },
        { epsilon: EPSILON, residual: residual !== undefined },
        () => tf.grads(forward)(given, dy),
      );
      return [y!, ...gradients];
    },
    tolerance: 1e-4,
  }),

  family('SoftmaxCrossEntropy', {
    cases: fc
      .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 17 }), fc.nat(1000))
      .chain(([images, classes, seed]) =>
        fc.record({ inputs: fc.tuple(draw.tensorOf([images, classes])), options: fc.constant(seed) }),
      ),
    run: ([logits], seed) => {
      const [images, classes] = logits!.shape as [number, number];
      const labels = tf.tensor1d(
        draw.range(images).map((image) => (seed + 7 * image) % classes),
        'int32',
      );
      return fused('SoftmaxCrossEntropy', { logits: logits!, labels }, {}, () => {
        const truth = tf.oneHot(labels, classes);
        return [
          tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits!), truth), -1)),
          tf.sub(tf.softmax(logits!), tf.cast(truth, 'float32')),
        ];
      });
    },
  }),

  family('SgdMomentumUpdate', {
    cases: fc.tuple(draw.filledShape({ min: 1, max: 4 }), fc.boolean()).chain(([shape, penalised]) =>
      fc.record({
        inputs: fc.tuple(...draw.range(penalised ? 4 : 3).map(() => draw.tensorOf(shape))),
        options: fc.record({
          learningRate: fc.constantFrom(0.01, 1),
          momentum: fc.constantFrom(0, 0.9),
          weightDecay: fc.constantFrom(0, 0.05),
          l1: fc.constantFrom(0, 0.01),
          penalty: fc.constantFrom(0.5),
        }),
      }),
    ),
    run: ([weight, velocity, gradient, penaltyGradient], options) => {
      const inputs = { weight, velocity, gradient, ...(penaltyGradient && { penaltyGradient }) } as Tensors;
      return fused('SgdMomentumUpdate', inputs, options, () => {
        const { learningRate, momentum, weightDecay, l1, penalty } = options;
        const pulls = [
          gradient!,
          tf.mul(weight!, weightDecay),
          tf.mul(tf.sign(weight!), l1),
          ...(penaltyGradient ? [tf.mul(penaltyGradient, penalty)] : []),
        ];
        const moved = tf.add(tf.mul(velocity!, momentum), tf.addN(pulls));
        return [tf.sub(weight!, tf.mul(moved, learningRate)), moved, tf.sum(tf.abs(weight!))];
      });
    },
    tolerance: 1e-4,
  }),

  family('TaylorSum', {
    cases: fc.tuple(draw.filledShape({ min: 2, max: 4 }), fc.integer({ min: 1, max: 4 })).chain(([shape, classes]) =>
      fc.record({
        inputs: fc.tuple(draw.tensorOf(shape), draw.tensorOf(shape)),
        options: fc.constant(classes),
      }),
    ),
    run: ([activation, gradient], classes) => {
      const { shape } = activation!;
      const labels = tf.tensor1d(
        draw.range(shape[0]!).map((image) => (3 * image) % classes),
        'int32',
      );
      const inputs = { activation, gradient, labels } as Tensors;
      return fused('TaylorSum', inputs, { classes }, () => {
        const effects = tf.reshape(tf.abs(tf.mul(activation!, gradient!)), [shape[0]!, -1, shape.at(-1)!]);
        return [tf.matMul(tf.cast(tf.oneHot(labels, classes), 'float32'), tf.sum(effects, 1), true)];
      });
    },
    tolerance: 1e-4,
  }),
];
