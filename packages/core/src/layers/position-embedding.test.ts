import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, loadLayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { chain, modelOf } from '../../test/support/small-models.ts';
import { compileProgram } from '../training/program.ts';
import { walkBackward, walkForward } from '../training/walk.ts';
import { PositionEmbedding } from './position-embedding.ts';

function embeddingModel(seed = 1) {
  const input = layers.inputLayer({ inputShape: [3, 2], name: 'tokens' }).output as SymbolicTensor;
  const embedding = new PositionEmbedding({ name: 'positions', seed });
  return { embedding, model: modelOf(input, chain(input, embedding)) };
}

it('adds to each position the vector of that position, for every image', () => {
  const { embedding, model } = embeddingModel();
  expect(embedding.weights[0]!.originalName).toBe('positions/embedding');
  embedding.setWeights([tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2])]);
  const x = tf.tensor3d([0, 0, 0, 0, 0, 0, 10, 20, 30, 40, 50, 60], [2, 3, 2]);
  expect([...(model.predict(x) as tf.Tensor).dataSync()]).toEqual([1, 2, 3, 4, 5, 6, 11, 22, 33, 44, 55, 66]);
});

it('sums in training the gradient of each position over the images', () => {
  const { model } = embeddingModel();
  const program = compileProgram(model);
  const dy = tf.reshape(tf.range(0, 12), [2, 3, 2]);
  const gradients: number[][] = [];
  tf.tidy(() => {
    const walk = walkForward(program, tf.ones([2, 3, 2]), { mode: 'training' });
    walkBackward(program, walk, dy, { onWeight: (_, gradient) => gradients.push([...gradient.dataSync()]) });
  });
  expect(gradients).toEqual([[6, 8, 10, 12, 14, 16]]);
});

it('starts from the same small numbers with the same seed, and survives saving and loading', async () => {
  const { model } = embeddingModel(5);
  const values = [...model.getWeights()[0]!.dataSync()];
  expect([...embeddingModel(5).model.getWeights()[0]!.dataSync()]).toEqual(values);
  expect([...embeddingModel(6).model.getWeights()[0]!.dataSync()]).not.toEqual(values);
  expect(new Set(values).size).toBe(6);
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.04);

  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  const loaded = await loadLayersModel(tf.io.fromMemory(saved!));
  expect([...loaded.getWeights()[0]!.dataSync()]).toEqual(values);
  expect(loaded.getLayer('positions').getConfig()).toEqual(model.getLayer('positions').getConfig());
});

it('rejects images that are not tokens', () => {
  const images = layers.inputLayer({ inputShape: [8, 8, 3] }).output as SymbolicTensor;
  expect(() => chain(images, new PositionEmbedding({ name: 'positions' }))).toThrow(
    "layer 'positions' (PositionEmbedding) to be [batch, tokens, features] with fixed tokens and features, but it is [null, 8, 8, 3].",
  );
});
