import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { deviation, trainableParameters } from '../test/support/weights.ts';
import { mobileNetV2 } from './mobilenet-v2.ts';

test.each([
  // 3,504,872 for 1000 classes is what torchvision's network has; with 10, 990 rows of the classifier are missing.
  [1000, 3_504_872],
  [10, 3_504_872 - 990 * 1281],
])('for %i classes has %i trainable parameters', (classes, parameters) => {
  const model = mobileNetV2({ classes });
  expect(trainableParameters(model)).toBe(parameters);
  expect(model.outputs[0]!.shape).toEqual([null, classes]);
  model.dispose();
});

test('halves the map at stages 3, 4 and 6, and adds where the shape stays', () => {
  const model = mobileNetV2({ width: 0.25 });
  const shape = (name: string) => model.getLayer(name).outputShape;
  expect(shape('relu1')).toEqual([null, 32, 32, 8]);
  expect(shape('stage2_block2_add')).toEqual([null, 32, 32, 6]);
  expect(shape('stage3_block1_project_bn')).toEqual([null, 16, 16, 8]);
  expect(shape('stage4_block4_add')).toEqual([null, 8, 8, 16]);
  expect(shape('stage6_block1_depthwise')).toEqual([null, 4, 4, 6 * 24]);
  expect(shape('stage7_block1_project_bn')).toEqual([null, 4, 4, 80]);
  expect(shape('avgpool')).toEqual([null, 320]);
  const classes = (name: string) => model.layers.filter((layer) => layer.getClassName() === name);
  expect(classes('DepthwiseConv2D')).toHaveLength(17);
  expect(classes('Add').map((layer) => layer.name)).toEqual(
    [
      [2, 2],
      [3, 2],
      [3, 3],
      [4, 2],
      [4, 3],
      [4, 4],
      [5, 2],
      [5, 3],
      [6, 2],
      [6, 3],
    ].map(([stage, block]) => `stage${stage}_block${block}_add`),
  );
  expect(classes('Activation').every((layer) => layer.getConfig().activation === 'relu6')).toBe(true);
  model.dispose();
});

test("starts like torchvision's, and depends on nothing but the seed", () => {
  const model = mobileNetV2({ width: 0.5, seed: 3 });
  const kernel = (name: string) => model.getLayer(name).getWeights()[0]!;
  // 1x1 to 160 filters, 480 depthwise kernels, and the classifier.
  expect(deviation(kernel('stage7_block1_project')) / Math.sqrt(2 / 160)).toBeCloseTo(1, 1);
  expect(deviation(kernel('stage7_block1_depthwise')) / Math.sqrt(2 / (9 * 480))).toBeCloseTo(1, 1);
  expect(deviation(kernel('logits')) / 0.01).toBeCloseTo(1, 1);
  expect(new Set(kernel('stage7_block1_project_bn').dataSync())).toEqual(new Set([1]));
  const again = mobileNetV2({ width: 0.5, seed: 3 });
  expect(again.getWeights().map((w) => w.dataSync())).toEqual(model.getWeights().map((w) => w.dataSync()));
  const other = mobileNetV2({ width: 0.5, seed: 4 });
  expect(other.getWeights()[0]!.dataSync()).not.toEqual(model.getWeights()[0]!.dataSync());
  for (const built of [model, again, other]) built.dispose();
});

test('rejects images that its strides would use up', () => {
  expect(() => mobileNetV2({ inputShape: [4, 32, 3] })).toThrow(
    'mobileNetV2: inputShape must be at least 8 x 8 pixels',
  );
});
