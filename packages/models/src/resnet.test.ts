import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, type SymbolicTensor, model as submodel } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { type ResNetDepth, resnet } from './resnet.ts';

const trainableParameters = (model: LayersModel) =>
  model.trainableWeights.reduce((sum, weight) => sum + tf.util.sizeFromShape(weight.shape as number[]), 0);

test.each([
  // Counted by the code of the paper's authors.
  [56, 10, 853_018],
  [56, 100, 858_868],
] as const)('resnet %i for %i classes has %i trainable parameters', (depth, classes, parameters) => {
  const model = resnet({ depth, classes });
  expect(model.name).toBe(`resnet${depth}`);
  expect(trainableParameters(model)).toBe(parameters);
  model.dispose();
});

test.each([20, 32, 44, 110] as const)('resnet %i has the parameters of its formula', (depth) => {
  const model = resnet({ depth });
  const blocks = (depth - 2) / 6;
  const convolution = (inputs: number, filters: number) => 9 * inputs * filters + 2 * filters;
  const expected =
    convolution(3, 16) +
    2 * blocks * convolution(16, 16) +
    convolution(16, 32) +
    (2 * blocks - 1) * convolution(32, 32) +
    convolution(32, 64) +
    (2 * blocks - 1) * convolution(64, 64) +
    64 * 10 +
    10;
  expect(trainableParameters(model)).toBe(expected);
  expect(model.layers.filter((layer) => layer.getClassName() === 'Conv2D')).toHaveLength(depth - 1);
  model.dispose();
});

test('maps halve at the start of stages 2 and 3', () => {
  const model = resnet({ depth: 20 });
  const shape = (name: string) => model.getLayer(name).outputShape;
  expect(shape('stage1_block3_relu2')).toEqual([null, 32, 32, 16]);
  expect(shape('stage2_block1_shortcut')).toEqual([null, 16, 16, 32]);
  expect(shape('stage2_block3_relu2')).toEqual([null, 16, 16, 32]);
  expect(shape('stage3_block3_relu2')).toEqual([null, 8, 8, 64]);
  expect(model.getLayer('stage3_block1_shortcut').getConfig()).toMatchObject({ strides: 2, padChannels: [16, 16] });
  model.dispose();
});

test('a width that rounds to odd numbers pads the shortcut by unequal amounts', () => {
  const model = resnet({ depth: 20, width: 0.22 });
  expect(model.getLayer('stage2_block1_shortcut').getConfig()).toMatchObject({ padChannels: [1, 2] });
  const images = tf.zeros([1, 32, 32, 3]);
  expect((model.predict(images) as tf.Tensor).shape).toEqual([1, 10]);
  model.dispose();
});

test.each([8, 9])('a stride-2 convolution sees one pixel of padding on every side (images of %i pixels)', (size) => {
  const model = resnet({ depth: 20, width: 0.1, inputShape: [size, size, 3], seed: 5 });
  const convolution = model.getLayer('stage2_block1_conv1');
  const before = model.getLayer('stage1_block3_relu2').output as SymbolicTensor;
  const taps = submodel({ inputs: model.inputs, outputs: [before, convolution.output as SymbolicTensor] });
  const [x, y] = taps.predict(tf.randomUniform([1, size, size, 3], 0, 1, 'float32', 1)) as [tf.Tensor4D, tf.Tensor4D];
  const kernel = convolution.getWeights()[0]! as tf.Tensor4D;
  const [input, output, weights] = [x.arraySync()[0]!, y.arraySync()[0]!, kernel.arraySync()];

  const half = Math.ceil(size / 2);
  expect(output).toHaveLength(half);
  let largest = 0;
  for (let row = 0; row < half; row++) {
    for (let column = 0; column < half; column++) {
      for (let filter = 0; filter < kernel.shape[3]; filter++) {
        let sum = 0;
        for (let u = 0; u < 3; u++) {
          for (let v = 0; v < 3; v++) {
            const pixel = input[2 * row + u - 1]?.[2 * column + v - 1];
            pixel?.forEach((value, channel) => {
              sum += value * weights[u]![v]![channel]![filter]!;
            });
          }
        }
        expect(output[row]![column]![filter]).toBeCloseTo(sum, 4);
        largest = Math.max(largest, Math.abs(sum));
      }
    }
  }
  expect(largest).toBeGreaterThan(0.01);
  model.dispose();
});

test('one seed fixes all weights', () => {
  const weights = (seed: number) =>
    resnet({ depth: 20, width: 0.2, seed })
      .getWeights()
      .map((w) => w.dataSync());
  expect(weights(1)).toEqual(weights(1));
  expect(weights(1)[0]).not.toEqual(weights(2)[0]);
});

test.each([
  [{ depth: 18 as ResNetDepth }, 'resnet: depth must be one of 20, 32, 44, 56, 110, got 18.'],
  [{ depth: '20' as unknown as ResNetDepth }, 'resnet: depth must be one of 20, 32, 44, 56, 110, got "20".'],
  [{ depth: 20 as const, classes: 0 }, 'resnet20: classes must be an integer of at least 2, got 0.'],
  [{ depth: 20 as const, width: -1 }, 'resnet20: width must be a positive finite factor, for example 0.5, got -1.'],
  [{ depth: 20 as const, inputShape: [2, 32, 3] as const }, 'resnet20: inputShape must be at least 4 x 4 pixels'],
])('rejects %o', (options, message) => {
  expect(() => resnet(options)).toThrow(message);
});
