import '@tensorflow/tfjs-backend-cpu';
import { denseNet, mobileNetV2, resnet, vgg16 } from '@secateur/models';
import { expect, it } from 'vitest';
import { decodeModel } from '../src/graph/decode.ts';
import { exportOnnx, importOnnx } from '../src/index.ts';
import { expectClose, randomImages, randomise, runModel } from './oracle.ts';

it.each([
  ['vgg16', () => vgg16({ width: 0.0625 })],
  ['resnet20', () => resnet({ depth: 20, width: 0.25 })],
  ['mobileNetV2', () => mobileNetV2({ width: 0.1 })],
  ['denseNet', () => denseNet({ depth: 13, growth: 4 })],
])('%s comes back as it was exported', async (_name, build) => {
  const model = build();
  randomise(model, 1, (weight) => /gamma|beta|moving/.test(weight));
  const bytes = await exportOnnx(model, { foldBatchNorm: false, classNames: [...'abcdefghij'] });
  const { model: back, metadata, notes } = await importOnnx(bytes);
  expect(notes).toEqual([]);
  expect(metadata.classNames).toEqual([...'abcdefghij']);
  const withWeights = (network: typeof model) =>
    network.layers
      .filter((layer) => layer.weights.length > 0)
      .map((layer) => [layer.name, layer.getClassName(), layer.getWeights().map((weight) => weight.shape)]);
  expect(withWeights(back)).toEqual(withWeights(model));
  const images = randomImages(model, 2);
  expectClose(runModel(back, images), runModel(model, images));
  const ops = (file: Uint8Array) =>
    decodeModel(file)
      .graph!.node!.map(({ opType }) => opType)
      .sort();
  expect(ops(await exportOnnx(back, { foldBatchNorm: false }))).toEqual(ops(bytes));
  for (const each of [model, back]) each.dispose();
});
