import { denseNet, mobileNetV2, resnet, uNet, vgg11, vgg16, visionTransformer } from '@secateur/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx, verify } from '../src/index.ts';
import { expectAccepted, hasChecker, without } from './onnx-checker.ts';
import { expectInferredAsComputed, expectSameAnswers, randomImages, randomise, structureOf } from './oracle.ts';

const architectures: Readonly<Record<string, () => LayersModel>> = {
  'VGG-11': () => vgg11({ width: 1 / 16, seed: 3 }),
  'VGG-16': () => vgg16({ width: 1 / 16, seed: 3 }),
  'ResNet-20': () => resnet({ depth: 20, width: 0.25, seed: 3 }),
  'ResNet-56': () => resnet({ depth: 56, width: 0.25, seed: 3 }),
  MobileNetV2: () => mobileNetV2({ width: 0.25, seed: 3 }),
  DenseNet: () => denseNet({ width: 0.25, seed: 3 }),
  'U-Net': () => uNet({ levels: 2, width: 0.25, inputShape: [16, 16, 3], seed: 3 }),
  'vision transformer': () => visionTransformer({ features: 24, depth: 2, inputShape: [16, 16, 3], seed: 3 }),
};

const models = new Map<string, { model: LayersModel; files: Uint8Array[] }>();
beforeAll(async () => {
  for (const [name, build] of Object.entries(architectures)) {
    const model = build();
    randomise(model, 4, (weight) => !weight.endsWith('kernel'));
    const files = [await exportOnnx(model), await exportOnnx(model, { foldBatchNorm: false, softmax: true })];
    models.set(name, { model, files });
  }
});
afterAll(() => {
  for (const { model } of models.values()) model.dispose();
});

describe.each(Object.keys(architectures))('%s', (name) => {
  it('has the types and shapes that onnxruntime computes, at every node', async () => {
    for (const bytes of models.get(name)!.files) expect(await expectInferredAsComputed(bytes)).toBe(0);
  });

  it('gives the same logits within 1e-4 (1 + |x|) at batch 1, 3 and 64', async () => {
    const { model, files } = models.get(name)!;
    await expectSameAnswers(model, files[0]!);
    const { data: images, shape } = randomImages(model, 2);
    for (const bytes of files) expect(await verify(model, bytes, { images, shape })).toMatchObject({ passed: true });
  });

  it('turns no image around', () => {
    // What makes tokens of an image turns it once; attention turns queries, keys and values to its heads, and back.
    const depth = 2;
    const needed = name === 'vision transformer' ? 1 + depth * 4 : 0;
    for (const bytes of models.get(name)!.files) {
      expect(structureOf(bytes).ops.filter((op) => op === 'Transpose')).toHaveLength(needed);
    }
  });
});

it.skipIf(!hasChecker)(`onnx.checker accepts all of them, and infers the same shapes${without}`, () =>
  expectAccepted([...models.values()].flatMap(({ files }) => files)),
);
