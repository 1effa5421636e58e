import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  type LayersModel,
  layers,
  model as layersModel,
  loadLayersModel,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { largestDifference } from '../../test/support/numbers.ts';
import { chain, fillWeights, image, modelOf } from '../../test/support/small-models.ts';
import { countCost } from '../cost/count-cost.ts';
import { ALL_REMOVABLE, readGraph } from '../graph/channel-graph.ts';
import { ZeroPadShortcut } from '../layers/zero-pad-shortcut.ts';
import { applyPlan } from './apply-plan.ts';
import { createPlan } from './pruning-plan.ts';

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

  it('keeps nested models nested, resizes what they take in, and keeps what is trainable', async () => {
    const nested = sequential({
      name: 'nested',
      layers: [
        layers.conv2d({ name: 'in', filters: 4, kernelSize: 1, inputShape: [4, 4, 3] }),
        layers.batchNormalization({ name: 'in_norm' }),
        layers.conv2d({ name: 'out', filters: 3, kernelSize: 1 }),
      ],
    });
    const inside = layers.inputLayer({ inputShape: [4, 4, 3], name: 'inside' }).output as SymbolicTensor;
    const functional = layersModel({
      name: 'functional',
      inputs: inside,
      outputs: chain(
        inside,
        layers.leakyReLU({ name: 'leaky' }),
        layers.conv2d({ name: 'deep', filters: 2, kernelSize: 1 }),
      ),
    });
    const input = image(4, 2);
    const model = modelOf(
      input,
      chain(
        input,
        layers.conv2d({ name: 'before', filters: 3, kernelSize: 1 }),
        nested,
        functional,
        layers.flatten({ name: 'flatten' }),
        layers.dense({ name: 'logits', units: 2 }),
      ),
    );
    fillWeights(model, 5);
    nested.getLayer('in').trainable = false;
    functional.trainable = false;
    const remove = { before: [1], in: [0, 2], out: [2], deep: [0] };
    const pruned = await applyPlan(model, { version: 1, remove });
    expect(pruned.layers.map((layer) => [layer.name, layer.getClassName()])).toEqual(
      model.layers.map((layer) => [layer.name, layer.getClassName()]),
    );
    expect(countCost(pruned).layers.map(({ name, outputShape }) => [name, outputShape.at(-1)])).toEqual([
      ['image', 2],
      ['before', 2],
      ['in_input', 2],
      ['in', 2],
      ['in_norm', 2],
      ['out', 2],
      ['inside', 2],
      ['leaky', 2],
      ['deep', 1],
      ['flatten', 16],
      ['logits', 2],
    ]);
    const trainable = (network: LayersModel) => network.trainableWeights.map(({ originalName }) => originalName);
    expect(trainable(pruned)).toEqual(trainable(model));
    expect(trainable(pruned)).not.toContain('deep/kernel');

    const saved = await savedAndLoaded(pruned);
    const x = tf.randomUniform([2, 4, 4, 2], -1, 1, 'float32', 5);
    expect((saved.predict(x) as tf.Tensor).dataSync()).toEqual((pruned.predict(x) as tf.Tensor).dataSync());
  });

  it('prunes a model with several inputs and outputs', async () => {
    const [left, right] = ['left', 'right'].map(
      (name) => layers.inputLayer({ inputShape: [4, 4, 2], name }).output as SymbolicTensor,
    );
    const one = (x: SymbolicTensor, name: string) => chain(x, layers.conv2d({ name, filters: 3, kernelSize: 1 }));
    const sum = layers.add({ name: 'sum' }).apply([one(left!, 'a'), one(right!, 'b')]) as SymbolicTensor;
    const model = layersModel({ inputs: [left!, right!], outputs: [one(sum, 'c'), one(sum, 'd')] });
    const plan = createPlan([{ layer: 'b', filter: 1 }], { graph: readGraph(model, ALL_REMOVABLE) });
    const pruned = await applyPlan(model, plan);
    expect(pruned.outputNames).toEqual(model.outputNames);
    // Zero weights make the removed channels zero before they are read.
    for (const name of ['a', 'b']) {
      const [kernel, bias] = model.getLayer(name).getWeights();
      model.getLayer(name).setWeights([tf.mul(kernel!, [1, 0, 1]), tf.mul(bias!, [1, 0, 1])]);
    }
    const x = ['left', 'right'].map((_, seed) => tf.randomUniform([1, 4, 4, 2], -1, 1, 'float32', seed));
    const values = (network: LayersModel) => (network.predict(x) as tf.Tensor[]).map((y) => [...y.dataSync()]);
    values(pruned).forEach((actual, output) => {
      expect(largestDifference(actual, values(model)[output]!)).toBeLessThan(1e-6);
    });
  });

  it('says which weights have one name, which TensorFlow.js cannot store', async () => {
    const shared = layers.conv2d({ name: 'shared', filters: 2, kernelSize: 1 });
    const input = image(4, 2);
    const inside = layers.inputLayer({ inputShape: [4, 4, 2] }).output as SymbolicTensor;
    const nested = layersModel({ name: 'nested', inputs: inside, outputs: chain(inside, shared) });
    const model = modelOf(
      input,
      chain(input, shared, nested, layers.conv2d({ name: 'last', filters: 1, kernelSize: 1 })),
    );
    await expect(applyPlan(model, { version: 1, remove: {} })).rejects.toThrow("two are named 'shared/kernel'");
  });
});

async function savedAndLoaded(model: LayersModel): Promise<LayersModel> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return loadLayersModel(tf.io.fromMemory(saved!));
}
