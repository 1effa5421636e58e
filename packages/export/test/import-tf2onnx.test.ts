import '@tensorflow/tfjs-backend-cpu';
import { countCost } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import { Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { exportOnnx, importOnnx } from '../src/index.ts';
import { onnxFile } from './onnx-files.ts';
import { expectClose, randomImages, runFeeds, runModel, runOnnx } from './oracle.ts';
import { pruneByNorm } from './prune-by-norm.ts';
import { denseNet, digits, efficientNet, hardSwish, mobileNetV2, resnet, vgg } from './tf2onnx-graphs.ts';

it.each(Object.entries({ denseNet, digits, efficientNet, hardSwish, mobileNetV2, resnet, vgg }))(
  '%s of Keras, as tf2onnx writes it, gives what onnxruntime gives: imported, pruned and exported again',
  async (_name, graph) => {
    const file = graph();
    const bytes = onnxFile(file);
    const before = tf.memory().numTensors;
    const { model } = await importOnnx(bytes);
    // Channels last in the file and in the model alike.
    expect(model.inputs[0]!.shape).toEqual([null, ...file.input!.slice(1)]);
    const images = randomImages(model, 3);
    const [expected] = await runFeeds(bytes, [new Tensor('float32', images.data, images.shape)]);
    // Neither one class for every image nor the same probabilities for all.
    expect(new Set(expected!).size).toBe(expected!.length);
    expectClose(runModel(model, images), expected!);
    expectClose(await runOnnx(await exportOnnx(model), images), expected!);

    const pruned = await pruneByNorm(model);
    expect(countCost(pruned).macs).toBeLessThan(countCost(model).macs);
    expectClose(await runOnnx(await exportOnnx(pruned), images), runModel(pruned, images));
    for (const each of [model, pruned]) each.dispose();
    expect(tf.memory().numTensors).toBe(before);
  },
);

it('layers have the names that they had in Keras, and no layer is left of transposes and padding', async () => {
  const { model, notes } = await importOnnx(onnxFile(mobileNetV2()), { logits: true });
  const convolutions = model.layers.filter((layer) => /Conv2D/.test(layer.getClassName())).map(({ name }) => name);
  expect(convolutions.slice(0, 4)).toEqual([
    'net/Conv1',
    'net/block_0_expand',
    'net/block_0_depthwise',
    'net/block_0_project',
  ]);
  expect([...new Set(model.layers.map((layer) => layer.getClassName()))].sort()).toEqual([
    'Activation',
    'Add',
    'Conv2D',
    'Dense',
    'DepthwiseConv2D',
    'GlobalAveragePooling2D',
    'InputLayer',
  ]);
  expect(notes).toEqual([]);
  model.dispose();
  const digit = await importOnnx(onnxFile(digits()));
  expect(digit.model.layers.map((layer) => layer.getClassName())).not.toContain('Permute');
  digit.model.dispose();
});
