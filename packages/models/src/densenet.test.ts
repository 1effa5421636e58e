import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { deviation, trainableParameters } from '../test/support/weights.ts';
import { denseNet } from './densenet.ts';

// 1.0 and 27.2 million in table 2 of the paper.
test.each([
  [{}, 'densenet40', 1_019_722],
  [{ depth: 100, growth: 24 }, 'densenet100', 27_249_082],
])('%o is %s with %i trainable parameters', (options, name, parameters) => {
  const model = denseNet(options);
  expect(model.name).toBe(name);
  expect(trainableParameters(model)).toBe(parameters);
  model.dispose();
});

test.each([
  [22, 12, 10],
  [13, 5, 100],
])('depth %i with growth %i has the parameters of its formula', (depth, growth, classes) => {
  let channels = 16;
  let expected = 9 * 3 * channels;
  for (let block = 0; block < 3; block++) {
    if (block > 0) expected += 2 * channels + channels * channels;
    for (let layer = 0; layer < (depth - 4) / 3; layer++) {
      expected += 2 * channels + 9 * channels * growth;
      channels += growth;
    }
  }
  expected += 2 * channels + (channels + 1) * classes;
  const model = denseNet({ depth, growth, classes });
  expect(trainableParameters(model)).toBe(expected);
  const convolutions = model.layers.filter((layer) => layer.getClassName() === 'Conv2D');
  expect(convolutions).toHaveLength(depth - 1);
  model.dispose();
});

test('each layer adds its growth, and transitions halve the map and keep the channels', () => {
  const model = denseNet({ depth: 10, width: 0.5 });
  const shape = (name: string) => model.getLayer(name).outputShape;
  expect(shape('conv1')).toEqual([null, 32, 32, 8]);
  expect(shape('block1_layer2_conv')).toEqual([null, 32, 32, 6]);
  expect(shape('block1_layer2_concat')).toEqual([null, 32, 32, 20]);
  expect(shape('transition1_pool')).toEqual([null, 16, 16, 20]);
  expect(shape('transition2_pool')).toEqual([null, 8, 8, 32]);
  expect(shape('relu')).toEqual([null, 8, 8, 44]);
  expect(model.outputs[0]!.shape).toEqual([null, 10]);
  const kernel = model.getLayer('transition2_conv').getWeights()[0]!;
  expect(deviation(kernel) / Math.sqrt(2 / 32)).toBeCloseTo(1, 0);
  model.dispose();
});

test.each([
  [{ depth: 41 }, 'denseNet: depth must be 3 n + 4 for n of at least 1, for example 40, got 41.'],
  [{ depth: 4 }, 'denseNet: depth must be 3 n + 4'],
  [{ growth: 0 }, 'denseNet: growth must be a positive integer, got 0.'],
  [{ classes: 1 }, 'densenet40: classes must be an integer of at least 2, got 1.'],
])('rejects %o', (options, message) => {
  expect(() => denseNet(options)).toThrow(message);
});
