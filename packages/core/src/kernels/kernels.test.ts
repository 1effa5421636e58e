import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type EngineName, useEngine } from '../../test/support/engines.ts';
import { largestDifference } from '../../test/support/numbers.ts';
import { randomNumbers } from '../../test/support/synthetic.ts';
import { batchNormInference, batchNormInferenceGrad } from './batch-norm-inference.ts';
import { type BatchNormActivation, batchNormTraining, batchNormTrainingGrad } from './batch-norm-training.ts';
import { convOrthogonality } from './conv-orthogonality.ts';
import { scoringConvolution } from './scoring-convolution.ts';
import { sgdMomentumUpdate } from './sgd-momentum-update.ts';
import { softmaxCrossEntropy } from './softmax-cross-entropy.ts';
import { taylorCount, taylorSum } from './taylor.ts';

type Numbers = readonly number[];

/** What `compute` gives on the engine with fused kernels and on the one that composes plain ops. */
async function onBothEngines(compute: () => tf.Tensor[]): Promise<[Numbers[], Numbers[]]> {
  const results: Numbers[][] = [];
  for (const engine of ['torch', 'cpu'] satisfies EngineName[]) {
    await useEngine(engine);
    results.push(
      tf.tidy(() => compute().map((tensor) => Array.from(tensor.dataSync())) as never) as unknown as Numbers[],
    );
  }
  return results as [Numbers[], Numbers[]];
}

async function expectAgreement(compute: () => tf.Tensor[], tolerance: number): Promise<void> {
  const [fused, composed] = await onBothEngines(compute);
  expect(fused.length).toBe(composed.length);
  fused.forEach((values, i) => {
    expect(largestDifference(values, composed[i]!), `output ${i}`).toBeLessThanOrEqual(tolerance);
  });
}

const sizes = fc.record({
  images: fc.integer({ min: 2, max: 5 }),
  height: fc.integer({ min: 1, max: 4 }),
  channels: fc.integer({ min: 1, max: 19 }),
  seed: fc.nat(1000),
});

describe('kernels, fused on torch and composed on cpu', () => {
  it('batch norm and its gradient', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.constantFrom<BatchNormActivation>('linear', 'relu', 'relu6'),
        fc.boolean(),
        async ({ images, height, channels, seed }, activation, residual) => {
          const shape = [images, height, 3, channels];
          const size = images * height * 3 * channels;
          const vector = (k: number) => tf.tensor1d(randomNumbers(channels, seed + k));
          const image = (k: number) => tf.tensor(randomNumbers(size, seed + k), shape);
          await expectAgreement(() => {
            // Steep enough for values beyond 6.
            const [x, scale, offset] = [image(1), tf.mul(vector(2), 8) as tf.Tensor1D, vector(3)];
            const inputs = {
              x,
              scale,
              offset,
              movingMean: vector(4),
              movingVariance: tf.abs(vector(5)) as tf.Tensor1D,
            };
            const y = batchNormTraining(residual ? { ...inputs, residual: image(6) } : inputs, {
              epsilon: 1e-3,
              momentum: 0.9,
              activation,
            });
            const gradients = batchNormTrainingGrad(
              { dy: image(7), x, y: y.y, scale, mean: y.mean, inverseStd: y.inverseStd },
              { activation, residual },
            );
            return [...Object.values(y), ...Object.values(gradients)] as tf.Tensor[];
          }, 5e-4);
        },
      ),
      { numRuns: 25, seed: 1 },
    );
  });

  it('batch norm with given statistics and its gradients', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.constantFrom<BatchNormActivation>('linear', 'relu', 'relu6'),
        fc.boolean(),
        async ({ images, height, channels, seed }, activation, withResidual) => {
          const shape = [images, height, 3, channels];
          const size = images * height * 3 * channels;
          const vector = (k: number) => tf.tensor1d(randomNumbers(channels, seed + k));
          const image = (k: number) => tf.tensor(randomNumbers(size, seed + k), shape);
          await expectAgreement(() => {
            // Steep enough for values beyond 6.
            const scale = tf.mul(vector(2), 8) as tf.Tensor1D;
            const variance = tf.abs(vector(3)) as tf.Tensor1D;
            const residual = withResidual ? image(6) : undefined;
            const options = { epsilon: 1e-2, activation };
            const given = { x: image(1), mean: vector(4), variance, offset: vector(5), scale, residual };
            const outputs = batchNormInference(given, options);
            const inputs = { dy: image(7), open: outputs.open, variance, scale };
            const gradients = batchNormInferenceGrad(inputs, { ...options, residual: withResidual });
            return [...Object.values(outputs), ...Object.values(gradients)] as tf.Tensor[];
          }, 5e-4);
        },
      ),
      { numRuns: 25, seed: 1 },
    );
  });

  it('softmax cross entropy', async () => {
    await expectAgreement(() => {
      const logits = tf.tensor2d(
        Float32Array.from(randomNumbers(35, 1), (x) => 8 * x),
        [7, 5],
      );
      const { loss, gradient } = softmaxCrossEntropy(logits, tf.tensor1d([0, 1, 2, 3, 4, 0, 1], 'int32'));
      return [loss, gradient];
    }, 1e-6);
  });

  it.each([0, 1e-4])('an SGD step with L1 factor %s', async (l1) => {
    await expectAgreement(() => {
      const tensor = (seed: number) => tf.tensor(randomNumbers(54, seed), [3, 3, 2, 3]);
      const inputs = { weight: tensor(1), velocity: tensor(2), gradient: tensor(3), penaltyGradient: tensor(4) };
      const rates = { learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4, l1, penalty: 0.01 };
      return Object.values(sgdMomentumUpdate(inputs, rates)) as tf.Tensor[];
    }, 1e-5);
  });

  it('Taylor counts and sums', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ({ images, height, channels, seed }) => {
        const shape = [images, height, 2, channels];
        const size = images * height * 2 * channels;
        const values = (k: number) =>
          tf.tensor(
            Float32Array.from(randomNumbers(size, seed + k), (x) => (x > 0.3 ? 0 : x)),
            shape,
          );
        const labels = () =>
          tf.tensor1d(
            Array.from({ length: images }, (_, i) => i % 2),
            'int32',
          );
        const inputs = () => ({ activation: values(1), gradient: values(2), labels: labels() });
        await expectAgreement(() => [taylorCount(inputs(), { threshold: 0.05, classes: 3 })], 0);
        await expectAgreement(() => [taylorSum(inputs(), { classes: 3 })], 1e-5);
      }),
      { numRuns: 15, seed: 1 },
    );
  });

  it.each([
    [1, 1],
    [3, 8],
    [8, 4],
  ])('conv-orthogonality of %i -> %i channels', async (inputs, outputs) => {
    await expectAgreement(() => {
      const kernel = tf.tensor4d(randomNumbers(9 * inputs * outputs, 3), [3, 3, inputs, outputs]);
      const { loss, gradient } = convOrthogonality(kernel);
      return [loss, gradient];
    }, 1e-5);
  });

  it('the convolution of the scoring pass, which is conv2d', async () => {
    const cases = fc.record({
      height: fc.integer({ min: 3, max: 7 }),
      kernel: fc.constantFrom([1, 1], [3, 3], [2, 3]),
      stride: fc.constantFrom(1, 2),
      padding: fc.constantFrom('same' as const, 'valid' as const),
      channels: fc.integer({ min: 1, max: 4 }),
    });
    await useEngine('cpu');
    fc.assert(
      fc.property(cases, ({ height, kernel: [kh, kw], stride, padding, channels }) => {
        tf.tidy(() => {
          const x = tf.tensor4d(randomNumbers(2 * height * 6 * channels, 1), [2, height, 6, channels]);
          const kernel = tf.tensor4d(randomNumbers(kh! * kw! * channels * 3, 2), [kh!, kw!, channels, 3]);
          const strides = [stride, stride] as [number, number];
          const expected = tf.conv2d(x, kernel, strides, padding);
          const actual = scoringConvolution(x, kernel, { strides, padding });
          expect(actual.shape).toEqual(expected.shape);
          expect(largestDifference(actual.dataSync(), expected.dataSync())).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it('the convolution of the scoring pass, without paddings that an engine might not know', async () => {
    await useEngine('cpu');
    const runKernel = vi.spyOn(tf.engine(), 'runKernel');
    try {
      tf.tidy(() => {
        const x = tf.tensor4d(randomNumbers(2 * 5 * 6 * 2, 1), [2, 5, 6, 2]);
        const kernel = tf.tensor4d(randomNumbers(9 * 2 * 3, 2), [3, 3, 2, 3]);
        for (const padding of ['same', 'valid'] as const) scoringConvolution(x, kernel, { strides: [2, 2], padding });
      });
      const convolutions = runKernel.mock.calls.filter(([name]) => name === 'Conv2DBackpropInput');
      expect(convolutions.map(([, , attributes]) => attributes!.pad)).toEqual(['valid', 'valid']);
    } finally {
      runKernel.mockRestore();
    }
  });
});
