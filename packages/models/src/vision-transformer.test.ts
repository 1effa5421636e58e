import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { deviation, trainableParameters } from '../test/support/weights.ts';
import { visionTransformer } from './vision-transformer.ts';

test('has the parameters of its formula', () => {
  const model = visionTransformer();
  const [size, hidden, tokens] = [192, 768, 64];
  const block = 2 * 2 * size + 4 * (size * size + size) + (size * hidden + hidden) + (hidden * size + size);
  const expected = 4 * 4 * 3 * size + size + tokens * size + 6 * block + 2 * size + (size + 1) * 10;
  expect(expected).toBe(2_693_194);
  expect(trainableParameters(model)).toBe(expected);
  model.dispose();
});

test('is ViT-Ti/16 but for the class token and its position', () => {
  const model = visionTransformer({ patchSize: 16, depth: 12, inputShape: [224, 224, 3], classes: 1000 });
  // 5,717,416 is what timm's vit_tiny_patch16_224 has.
  expect(trainableParameters(model)).toBe(5_717_416 - 2 * 192);
  model.dispose();
});

test('turns patches into tokens and keeps their number', () => {
  const model = visionTransformer({
    depth: 2,
    heads: 4,
    features: 64,
    mlpRatio: 3,
    width: 0.5,
    inputShape: [16, 24, 3],
  });
  const shape = (name: string) => model.getLayer(name).outputShape;
  expect(shape('patches')).toEqual([null, 4, 6, 32]);
  expect(shape('positions')).toEqual([null, 24, 32]);
  expect(shape('block2_mlp1')).toEqual([null, 24, 96]);
  expect(shape('block2_add2')).toEqual([null, 24, 32]);
  expect(shape('avgpool')).toEqual([null, 32]);
  expect(model.outputs[0]!.shape).toEqual([null, 10]);
  expect(model.getLayer('block2_attention').getConfig()).toMatchObject({ heads: 4, headSize: 8, units: 32 });
  model.dispose();
});

test('starts every kernel from its own truncated normal(0, 0.02)', () => {
  const model = visionTransformer({ depth: 2, features: 48, seed: 5 });
  const random = model.weights.filter(({ originalName }) => /(kernel|embedding)$/.test(originalName));
  expect(random).toHaveLength(1 + 1 + 2 * (4 + 2) + 1);
  const firsts = random.map((weight) => weight.read().dataSync()[0]);
  expect(new Set(firsts).size).toBe(random.length);
  for (const weight of random) {
    // Cut off at two deviations, a normal distribution keeps 0.8796 of its deviation.
    expect(deviation(weight.read()) / (0.02 * 0.8796), weight.originalName).toBeCloseTo(1, 0);
  }
  const again = visionTransformer({ depth: 2, features: 48, seed: 5 });
  expect(again.getWeights().map((w) => w.dataSync())).toEqual(model.getWeights().map((w) => w.dataSync()));
  for (const built of [model, again]) built.dispose();
});

test.each([
  [{ depth: 0 }, 'visionTransformer: depth must be a positive integer, got 0.'],
  [{ heads: 5 }, 'visionTransformer: features must be divisible by the 5 heads, got 192.'],
  [{ mlpRatio: -1 }, 'visionTransformer: mlpRatio must be a positive number, got -1.'],
  [
    { inputShape: [30, 32, 3] as const },
    'visionTransformer: inputShape must be of a height and width divisible by the patch size 4, got [30,32,3].',
  ],
  [{ classes: 0 }, 'visionTransformer: classes must be an integer of at least 2, got 0.'],
])('rejects %o', (options, message) => {
  expect(() => visionTransformer(options)).toThrow(message);
});
