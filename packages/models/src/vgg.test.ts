import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { vgg11, vgg16, vgg19 } from './vgg.ts';

const trainableParameters = (model: LayersModel) =>
  model.trainableWeights.reduce((sum, weight) => sum + tf.util.sizeFromShape(weight.shape as number[]), 0);

/** Shape of each convolution's output and the multiply-accumulates it costs. */
const convolutions = (model: LayersModel) =>
  model.layers
    .filter((layer) => layer.getClassName() === 'Conv2D')
    .map((layer) => {
      const [, height, width, filters] = layer.outputShape as number[];
      const kernel = tf.util.sizeFromShape(layer.weights[0]!.shape as number[]);
      return { name: layer.name, size: `${height}x${width}x${filters}`, macs: height! * width! * kernel };
    });

test('vgg11 has half the convolutions of vgg16 and the same head', () => {
  const model = vgg11({ width: 0.5 });
  expect(convolutions(model).map(({ size }) => size)).toEqual([
    '32x32x32',
    '16x16x64',
    '8x8x128',
    '8x8x128',
    '4x4x256',
    '4x4x256',
    '2x2x256',
    '2x2x256',
  ]);
  expect(convolutions(model).reduce((sum, { macs }) => sum + macs, 0)).toBe(38_633_472);
  expect(trainableParameters(vgg11())).toBe(9_494_794);
});

test('vgg16 has the shapes and costs of the network in the paper', () => {
  const model = vgg16();
  expect(model.name).toBe('vgg16');
  expect(trainableParameters(model)).toBe(14_991_946);
  expect(model.outputs[0]!.shape).toEqual([null, 10]);
  expect(convolutions(model)).toEqual([
    { name: 'conv1', size: '32x32x64', macs: 1_769_472 },
    { name: 'conv2', size: '32x32x64', macs: 37_748_736 },
    { name: 'conv3', size: '16x16x128', macs: 18_874_368 },
    { name: 'conv4', size: '16x16x128', macs: 37_748_736 },
    { name: 'conv5', size: '8x8x256', macs: 18_874_368 },
    { name: 'conv6', size: '8x8x256', macs: 37_748_736 },
    { name: 'conv7', size: '8x8x256', macs: 37_748_736 },
    { name: 'conv8', size: '4x4x512', macs: 18_874_368 },
    { name: 'conv9', size: '4x4x512', macs: 37_748_736 },
    { name: 'conv10', size: '4x4x512', macs: 37_748_736 },
    { name: 'conv11', size: '2x2x512', macs: 9_437_184 },
    { name: 'conv12', size: '2x2x512', macs: 9_437_184 },
    { name: 'conv13', size: '2x2x512', macs: 9_437_184 },
  ]);
  expect(model.layers.slice(-6).map((layer) => layer.name)).toEqual([
    'avgpool',
    'flatten',
    'dense1',
    'dense1_bn',
    'dense1_relu',
    'logits',
  ]);
  model.dispose();
});

test('vgg16 for 100 classes', () => {
  const model = vgg16({ classes: 100 });
  expect(trainableParameters(model)).toBe(15_038_116);
  model.dispose();
});

test('vgg19 is the CIFAR-100 form: 16 convolutions and a single dense layer', () => {
  const model = vgg19({ classes: 100 });
  expect(model.name).toBe('vgg19');
  expect(trainableParameters(model)).toBe(20_086_692);
  expect(convolutions(model)).toHaveLength(16);
  expect(convolutions(model).reduce((sum, { macs }) => sum + macs, 0)).toBe(398_131_200);
  expect(model.layers.filter((layer) => layer.getClassName() === 'Dense').map((layer) => layer.name)).toEqual([
    'logits',
  ]);
  model.dispose();
});

test('width scales every layer but the logits, rounds, and never goes below one filter', () => {
  const widths = (width: number) => convolutions(vgg16({ width })).map(({ size }) => Number(size.split('x')[2]));
  expect(widths(0.23)).toEqual([15, 15, 29, 29, 59, 59, 59, 118, 118, 118, 118, 118, 118]);
  expect(widths(0.001)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect(vgg16({ width: 0.23 }).getLayer('dense1').outputShape).toEqual([null, 118]);
});

test('weights start as in the code of the authors', () => {
  const model = vgg16({ width: 0.25, seed: 3 });
  const values = (layer: string, index: number) => model.getLayer(layer).getWeights()[index]!;
  const moments = (weights: tf.Tensor) => {
    const { mean, variance } = tf.moments(weights);
    return { mean: mean.dataSync()[0]!, stddev: Math.sqrt(variance.dataSync()[0]!) };
  };
  // 128 x 128 x 9 samples: the standard error of the standard deviation is 0.18 %.
  const kernel = moments(values('conv12', 0));
  expect(Math.abs(kernel.stddev / Math.sqrt(2 / (9 * 128)) - 1)).toBeLessThan(0.01);
  expect(Math.abs(kernel.mean)).toBeLessThan(5 * (kernel.stddev / Math.sqrt(9 * 128 * 128)));
  expect(Math.abs(moments(values('dense1', 0)).stddev / 0.01 - 1)).toBeLessThan(0.03);

  const all = (weights: tf.Tensor) => [...new Set(weights.dataSync())];
  expect(all(values('conv12', 1))).toEqual([0]);
  expect(all(values('bn12', 0))).toEqual([0.5]);
  expect(all(values('bn12', 1))).toEqual([0]);
  expect(all(values('dense1_bn', 0))).toEqual([1]);
  expect(all(values('dense1_bn', 1))).toEqual([0]);
  expect(all(values('logits', 1))).toEqual([0]);
  expect(model.getLayer('bn1').getConfig()).toMatchObject({ epsilon: 1e-5, momentum: 0.9 });
  model.dispose();
});

test('one seed fixes all weights, and neighbouring seeds and layers share none', () => {
  const kernels = (seed: number) => {
    const model = vgg16({ width: 0.05, seed });
    const flat = model.layers
      .filter((layer) => ['Conv2D', 'Dense'].includes(layer.getClassName()))
      .map((layer) => layer.getWeights()[0]!.dataSync());
    model.dispose();
    return flat;
  };
  expect(kernels(7)).toEqual(kernels(7));
  const firstDraws = [0, 1, 2].flatMap((seed) => kernels(seed).map((kernel) => kernel[0]! / Math.abs(kernel[1]!)));
  expect(new Set(firstDraws).size).toBe(45);
});

test.each([
  [{ classes: 1 }, 'vgg16: classes must be an integer of at least 2, got 1.'],
  [{ classes: 2.5 }, 'vgg16: classes must be an integer of at least 2, got 2.5.'],
  [{ width: 0 }, 'vgg16: width must be a positive finite factor, for example 0.5, got 0.'],
  [{ width: Number.NaN }, 'vgg16: width must be a positive finite factor'],
  [
    { inputShape: [32, 32] as unknown as [number, number, number] },
    'vgg16: inputShape must be [height, width, channels]',
  ],
  [{ inputShape: [32, 0, 3] as const }, 'three positive integers, got [32,0,3].'],
  [{ inputShape: [28, 28, 1] as const }, 'vgg16: inputShape must be at least 32 x 32 pixels'],
  [{ seed: -1 }, 'vgg16: seed must be an integer from 0 to 4294967295, got -1.'],
])('rejects %o', (options, message) => {
  expect(() => vgg16(options)).toThrow(message);
});
