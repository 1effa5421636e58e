import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { largestDifference } from '../../test/support/numbers.ts';
import { fillWeights } from '../../test/support/small-models.ts';
import { applyPlan } from '../pruning/apply-plan.ts';
import { createPlan } from '../pruning/pruning-plan.ts';
import { completeConfigs } from './depth-multiplier.ts';

/** The separable convolution inside a model in the model. */
function separable(): LayersModel {
  const inner = sequential({
    name: 'inner',
    layers: [
      layers.separableConv2d({
        name: 'separable',
        inputShape: [6, 6, 4],
        filters: 5,
        kernelSize: 3,
        depthMultiplier: 3,
      }),
    ],
  });
  const model = sequential({
    layers: [
      layers.conv2d({ name: 'conv', inputShape: [6, 6, 2], filters: 4, kernelSize: 3, padding: 'same' }),
      inner,
      layers.flatten(),
      layers.dense({ units: 2 }),
    ],
  });
  fillWeights(model, 6);
  return model;
}

async function saved(model: LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = { ...given, modelTopology: JSON.parse(JSON.stringify(given.modelTopology)) };
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return artifacts!;
}

it('TensorFlow.js saves no depthMultiplier', async () => {
  const artifacts = await saved(separable());
  await expect(loadLayersModel(tf.io.fromMemory(artifacts))).rejects.toThrow();
});

it.each<[string, () => Promise<LayersModel>]>([
  [
    'a model that is made complete, once or twice',
    async () => {
      const model = separable();
      completeConfigs(model);
      completeConfigs(model);
      return model;
    },
  ],
  ['what a plan leaves', () => applyPlan(separable(), createPlan([{ layer: 'conv', filter: 1 }]))],
])('%s can be saved and loaded', async (_, make) => {
  const model = await make();
  const loaded = await loadLayersModel(tf.io.fromMemory(await saved(model)));
  tf.tidy(() => {
    const x = tf.randomUniform([2, 6, 6, 2], -1, 1, 'float32', 3);
    const [expected, actual] = [model, loaded].map((network) => (network.predict(x) as tf.Tensor).dataSync());
    expect(largestDifference(actual!, expected!)).toBe(0);
    expect(Math.max(...expected!)).toBeGreaterThan(0.01);
  });
});
