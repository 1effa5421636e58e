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

const files: readonly [string, Parameters<typeof exportOnnx>[1]][] = [
  ['channels last', { inputLayout: 'NHWC' }],
  ['the newest operator set', { opset: 26 }],
  ['a softmax behind the logits', { softmax: true }],
];

it.each(files)('a file with %s comes back', async (_what, options) => {
  const model = mobileNetV2({ width: 0.1 });
  const { model: back } = await importOnnx(await exportOnnx(model, options), { logits: true });
  const images = randomImages(model, 2);
  expectClose(runModel(back, images), runModel(model, images));
  for (const each of [model, back]) each.dispose();
});

it('a file that standardises pixels by itself comes back as a network of pixels', async () => {
  const model = resnet({ depth: 20, width: 0.125 });
  const [mean, std] = [
    [0.5, 0.4, 0.3],
    [0.2, 0.25, 0.3],
  ] as const;
  const bytes = await exportOnnx(model, { preprocessing: true, mean, std, inputScale: 1 / 255 });
  const { model: back } = await importOnnx(bytes, { logits: true });
  const { data, shape } = randomImages(model, 2);
  const pixels = data.map((value) => Math.round(127.5 * (value + 1)));
  const standardised = pixels.map((value, i) => (value / 255 - mean[i % 3]!) / std[i % 3]!);
  expectClose(runModel(back, { data: pixels, shape }), runModel(model, { data: standardised, shape }));
  for (const each of [model, back]) each.dispose();
});
