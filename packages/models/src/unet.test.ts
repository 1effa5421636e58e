import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { deviation, trainableParameters } from '../test/support/weights.ts';
import { uNet } from './unet.ts';

test.each([
  [{}, 482_890],
  [{ levels: 2, classes: 3, inputShape: [16, 24, 1] as const }, undefined],
])('%o has the parameters of its formula', (options, literal) => {
  const {
    levels = 3,
    classes = 10,
    inputShape = [32, 32, 3] as const,
  } = options as {
    levels?: number;
    classes?: number;
    inputShape?: readonly [number, number, number];
  };
  const twice = (from: number, to: number) => 9 * from * to + 9 * to * to + 4 * to;
  const widths = Array.from({ length: levels + 1 }, (_, level) => 16 * 2 ** level);
  let expected = 0;
  widths.forEach((width, level) => {
    expected += twice(level === 0 ? inputShape[2] : width / 2, width);
    if (level < levels) expected += 4 * 2 * width * width + width + twice(2 * width, width);
  });
  expected += 16 * classes + classes;
  if (literal) expect(expected).toBe(literal);
  const model = uNet(options);
  expect(trainableParameters(model)).toBe(expected);
  expect(model.outputs[0]!.shape).toEqual([null, inputShape[0], inputShape[1], classes]);
  model.dispose();
});

test('joins each map on the way up with the one of its size on the way down', () => {
  const model = uNet({ width: 0.25, inputShape: [16, 24, 3] });
  const shape = (name: string) => model.getLayer(name).outputShape;
  expect(shape('down2_relu2')).toEqual([null, 8, 12, 8]);
  expect(shape('down3_pool')).toEqual([null, 2, 3, 16]);
  expect(shape('bottom_relu2')).toEqual([null, 2, 3, 32]);
  expect(shape('up3_upconv')).toEqual([null, 4, 6, 16]);
  expect(shape('up3_concat')).toEqual([null, 4, 6, 32]);
  expect(shape('up1_relu2')).toEqual([null, 16, 24, 4]);
  const inputsOf = (name: string) => model.getLayer(name).inboundNodes[0]!.inboundLayers.map((layer) => layer.name);
  for (const level of [1, 2, 3]) {
    expect(inputsOf(`up${level}_concat`)).toEqual([`down${level}_relu2`, `up${level}_upconv`]);
  }
  const logits = model.predict(tf.ones([2, 16, 24, 3])) as tf.Tensor;
  expect(logits.shape).toEqual([2, 16, 24, 10]);
  model.dispose();
});

test('starts from normal(0, sqrt(2 / fan in))', () => {
  const model = uNet({ width: 0.5 });
  const kernel = (name: string) => model.getLayer(name).getWeights()[0]!;
  expect(deviation(kernel('up3_conv1')) / Math.sqrt(2 / (9 * 64))).toBeCloseTo(1, 1);
  expect(deviation(kernel('up3_upconv')) / Math.sqrt(2 / 64)).toBeCloseTo(1, 1);
  model.dispose();
});

test.each([
  [{ levels: 0 }, 'uNet: levels must be a positive integer, got 0.'],
  [{ inputShape: [4, 32, 3] as const }, 'uNet: inputShape must be at least 8 x 8 pixels'],
  [
    { inputShape: [32, 36, 3] as const },
    'uNet: inputShape must be of a height and width divisible by 8, as the map is halved 3 times, got [32,36,3].',
  ],
])('rejects %o', (options, message) => {
  expect(() => uNet(options)).toThrow(message);
});
