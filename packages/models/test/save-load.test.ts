import '@tensorflow/tfjs-backend-cpu';
import { denseNet, mobileNetV2, resnet, uNet, vgg16, vgg19, visionTransformer } from '@secateur/models';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';

/** Through JSON text, as a file would hold it. */
async function saveAndLoad(model: LayersModel): Promise<LayersModel> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = { ...saved, modelTopology: JSON.parse(JSON.stringify(saved.modelTopology)) };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return loadLayersModel(tf.io.fromMemory(artifacts!));
}

const NETWORKS: readonly [name: string, build: () => LayersModel][] = [
  ['vgg16', () => vgg16({ width: 0.1 })],
  ['vgg19', () => vgg19({ width: 0.1, classes: 100 })],
  ['resnet20', () => resnet({ depth: 20, width: 0.3 })],
  ['mobilenetv2', () => mobileNetV2({ width: 0.1 })],
  ['densenet10', () => denseNet({ depth: 10, width: 0.5 })],
  ['unet', () => uNet({ width: 0.25 })],
  ['vit2', () => visionTransformer({ depth: 2, features: 24 })],
];

test.each(NETWORKS)('%s starts from the same weights every time, with the default seed too', (_, build) => {
  const [once, again] = [build(), build()].map((model) => model.getWeights().map((w) => w.dataSync()));
  expect(again).toEqual(once);
});

test.each(NETWORKS)('%s comes back with its name, layers, weights and logits', async (name, build) => {
  const model = build();
  const loaded = await saveAndLoad(model);
  expect(loaded.name).toBe(name);
  expect(loaded.layers.map((layer) => layer.getConfig())).toEqual(model.layers.map((layer) => layer.getConfig()));
  expect(loaded.getWeights().map((w) => w.dataSync())).toEqual(model.getWeights().map((w) => w.dataSync()));

  const images = tf.randomNormal([2, 32, 32, 3], 0, 1, 'float32', 2);
  const [before, after] = [model, loaded].map((m) => (m.predict(images) as tf.Tensor).dataSync());
  expect(after).toEqual(before);
  expect(Math.max(...before!.map(Math.abs))).toBeGreaterThan(0);
});
