import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { chain, fillWeights, image, modelOf } from '../../test/support/small-models.ts';
import { ZeroPadShortcut } from '../layers/zero-pad-shortcut.ts';
import { applyPlan } from './apply-plan.ts';

function smallModel() {
  const input = image(6, 2);
  const model = modelOf(
    input,
    chain(
      input,
      layers.conv2d({ name: 'camelCase', filters: 4, kernelSize: 3, useBias: false }),
      layers.batchNormalization({ name: 'norm' }),
      layers.activation({ name: 'relu', activation: 'relu' }),
      layers.conv2d({ name: 'conv2', filters: 3, kernelSize: 3, activation: 'relu' }),
      layers.flatten({ name: 'flatten' }),
      layers.dense({ name: 'hidden', units: 5, activation: 'tanh' }),
      layers.dense({ name: 'logits', units: 2 }),
    ),
  );
  fillWeights(model, 3);
  return model;
}

const PLAN = { version: 1, remove: { camelCase: [0, 2], conv2: [1], hidden: [4] } } as const;

describe('applyPlan', () => {
  it('gives an ordinary smaller model with the same names, and leaves the given one as it was', async () => {
    const model = smallModel();
    model.getLayer('norm').trainable = false;
    const names = model.layers.map((layer) => layer.name);
    const before = model.getWeights().map((weight) => weight.dataSync().slice());
    const config = model.toJSON();

    const pruned = await applyPlan(model, PLAN);
    expect(pruned.layers.map((layer) => layer.name)).toEqual(names);
    expect(
      pruned.layers.flatMap((layer) => layer.weights.map((weight) => [weight.originalName, ...weight.shape])),
    ).toEqual([
      ['camelCase/kernel', 3, 3, 2, 2],
      ['norm/gamma', 2],
      ['norm/beta', 2],
      ['norm/moving_mean', 2],
      ['norm/moving_variance', 2],
      ['conv2/kernel', 3, 3, 2, 2],
      ['conv2/bias', 2],
      ['hidden/kernel', 8, 4],
      ['hidden/bias', 4],
      ['logits/kernel', 4, 2],
      ['logits/bias', 2],
    ]);
    expect(pruned.getLayer('norm').trainable).toBe(false);
    expect(pruned.getLayer('norm').weights.map((weight) => weight.read().dataSync())).toEqual(
      model
        .getLayer('norm')
        .weights.map((weight) => [1, 3].map((channel) => weight.read().dataSync()[channel]!))
        .map((kept) => Float32Array.from(kept)),
    );
    expect(model.getWeights().map((weight) => weight.dataSync())).toEqual(before);
    expect(model.toJSON()).toBe(config);
  });

  it('owns as many tensors as it has weights, and leaves none behind', async () => {
    const model = smallModel();
    const before = tf.memory();
    const pruned = await applyPlan(model, PLAN);
    expect(tf.memory().numTensors).toBe(before.numTensors + pruned.weights.length);
    pruned.dispose();
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    await expect(applyPlan(model, { version: 1, remove: { logits: [0] } })).rejects.toThrow(
      "'logits' is the model's output",
    );
    expect(tf.memory().numTensors).toBe(before.numTensors);
  });

  it('can be applied again, and outlives the model that it came from', async () => {
    const model = smallModel();
    const x = tf.randomUniform([2, 6, 6, 2], -1, 1, 'float32', 5);
    const once = await applyPlan(model, PLAN);
    const expected = (once.predict(x) as tf.Tensor).dataSync();
    const step = await applyPlan(model, { version: 1, remove: { camelCase: [2], conv2: [1] } });
    model.dispose();
    // After the first step, filter 0 is still filter 0.
    const twice = await applyPlan(step, { version: 1, remove: { camelCase: [0], hidden: [4] } });
    step.dispose();
    expect((twice.predict(x) as tf.Tensor).dataSync()).toEqual(expected);
  });

  it('keeps metadata and works on a sequential model', async () => {
    const model = sequential({
      layers: [
        layers.conv2d({ name: 'a', filters: 3, kernelSize: 3, inputShape: [6, 6, 2] }),
        layers.globalAveragePooling2d({ name: 'gap' }),
        layers.dense({ name: 'out', units: 2 }),
      ],
    });
    model.setUserDefinedMetadata({ classes: ['cat', 'dog'] });
    const pruned = await applyPlan(model, { version: 1, remove: { a: [0] } });
    expect(pruned.getClassName()).toBe('Sequential');
    expect(pruned.getUserDefinedMetadata()).toEqual({ classes: ['cat', 'dog'] });
    const [kernel] = model.getLayer('a').getWeights();
    const kept = tf.slice(kernel!, [0, 0, 0, 1], [3, 3, 2, 2]);
    expect(pruned.getLayer('a').getWeights()[0]!.dataSync()).toEqual(kept.dataSync());
  });

  it('cuts behind a zero-padding shortcut that meets no addition', async () => {
    const input = image(4, 2);
    const model = modelOf(
      input,
      chain(
        input,
        layers.conv2d({ name: 'a', filters: 3, kernelSize: 1 }),
        new ZeroPadShortcut({ name: 'pad', strides: 2, padChannels: [1, 2] }),
        layers.conv2d({ name: 'b', filters: 1, kernelSize: 1, kernelInitializer: 'zeros' }),
      ),
    );
    model.getLayer('b').weights[0]!.write(tf.tensor([1, 2, 3, 4, 5, 6], [1, 1, 6, 1]));
    const pruned = await applyPlan(model, { version: 1, remove: { a: [1] } });
    expect([...pruned.getLayer('b').weights[0]!.read().dataSync()]).toEqual([1, 2, 4, 5, 6]);
  });

  it('prunes inside a residual block', async () => {
    const input = image(4, 2);
    const stem = chain(input, layers.conv2d({ name: 'stem', filters: 2, kernelSize: 1 }));
    const branch = chain(
      stem,
      layers.conv2d({ name: 'inner', filters: 3, kernelSize: 1 }),
      layers.conv2d({ name: 'outer', filters: 2, kernelSize: 1 }),
    );
    const model = modelOf(input, layers.add({ name: 'sum' }).apply([branch, stem]) as SymbolicTensor);
    const pruned = await applyPlan(model, { version: 1, remove: { inner: [2] } });
    expect(pruned.layers.map((layer) => [layer.name, layer.weights[0]?.shape])).toEqual(
      model.layers.map((layer) => {
        const shapes: Record<string, number[]> = { stem: [1, 1, 2, 2], inner: [1, 1, 2, 2], outer: [1, 1, 2, 2] };
        return [layer.name, shapes[layer.name]];
      }),
    );
    await expect(applyPlan(model, { version: 1, remove: { stem: [0] } })).rejects.toThrow(
      "which is frozen: 'stem' is coupled with 'outer', which reaches the model's output through 'sum'",
    );
  });
});
