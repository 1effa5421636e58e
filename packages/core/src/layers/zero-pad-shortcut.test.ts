import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import { ZeroPadShortcut } from './zero-pad-shortcut.ts';

const shortcut = () => new ZeroPadShortcut({ name: 'shortcut', strides: 2, padChannels: [1, 2] });

describe('ZeroPadShortcut', () => {
  it('takes every second row and column and puts zero channels around', () => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
    const y = shortcut().apply(x) as tf.Tensor4D;
    expect(y.shape).toEqual([1, 2, 2, 4]);
    expect([...y.dataSync()]).toEqual([0, 1, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0]);
  });

  it('says its output shape for even and odd sizes', () => {
    for (const size of [5, 6]) {
      expect(chain(image(size, 3), shortcut()).shape).toEqual([null, 3, 3, 6]);
    }
  });

  it('passes the gradient back to the values that it took', () => {
    const weights = tf.reshape(tf.range(0, 16), [1, 2, 2, 4]);
    const gradient = tf.grad((x) => tf.sum(tf.mul(shortcut().apply(x) as tf.Tensor, weights)));
    expect([...gradient(tf.ones([1, 3, 3, 1])).dataSync()]).toEqual([1, 0, 5, 0, 0, 0, 9, 0, 13]);
  });

  it('survives saving and loading', async () => {
    const input = image(4, 2);
    const model = modelOf(input, chain(input, shortcut()));
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
      }),
    );
    const loaded = await loadLayersModel(tf.io.fromMemory(saved!));
    const x = tf.randomUniform([1, 4, 4, 2], -1, 1, 'float32', 1);
    expect((loaded.predict(x) as tf.Tensor).dataSync()).toEqual((model.predict(x) as tf.Tensor).dataSync());
  });
});
