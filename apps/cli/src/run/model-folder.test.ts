import { copyFile, mkdtemp, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { exportOnnx } from '@secateur/export';
import { resnet } from '@secateur/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeEach, expect, it } from 'vitest';
import { attachTrainingData, loadModel, saveModel, trainingDataOf } from './model-folder.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secateur-'));
});

const build = (seed: number) => resnet({ depth: 20, width: 0.125, seed });
const bits = (model: LayersModel) =>
  model.weights.map((weight) => [...new Uint32Array(weight.read().dataSync().slice().buffer)]);

it('brings a network with a layer of its own back, bit for bit, with what it was trained on', async () => {
  const model = build(1);
  const trainedOn = { classNames: [...'abcdefghij'], mean: [0.5, 0.25, 0.125], std: [0.1, 0.2, 0.3] };
  attachTrainingData(model, trainedOn);
  await saveModel(model, join(directory, 'model'));
  expect((await readdir(join(directory, 'model'))).sort()).toEqual(['model.json', 'weights.bin']);
  for (const path of [directory, join(directory, 'model')]) {
    const loaded = await loadModel(path);
    expect(bits(loaded)).toEqual(bits(model));
    expect(loaded.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name));
    expect(trainingDataOf(loaded)).toEqual(trainedOn);
  }
});

it('replaces a former model and leaves nothing else behind', async () => {
  await saveModel(build(1), join(directory, 'model'));
  await saveModel(build(2), join(directory, 'model'));
  expect(bits(await loadModel(directory))).toEqual(bits(build(2)));
  expect(await readdir(directory)).toEqual(['model']);
});

it('takes an ONNX file too, up to its logits, with the statistics in units of pixels from 0 to 1', async () => {
  const model = build(1);
  const [file, names] = [join(directory, 'small.onnx'), [...'abcdefghij']];
  const description = { classNames: names, mean: [127.5, 51, 25.5], std: [51, 102, 255], inputScale: 1 };
  await writeFile(file, await exportOnnx(model, { ...description, softmax: true, foldBatchNorm: false }));
  const loaded = await loadModel(file);
  expect(bits(loaded)).toEqual(bits(model));
  const { classNames, mean, std } = trainingDataOf(loaded)!;
  expect(classNames).toEqual(names);
  expect([...mean, ...std].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([0.5, 0.2, 0.1, 0.2, 0.4, 1]);

  await writeFile(file, (await readFile(file)).subarray(0, 1000));
  await expect(loadModel(file)).rejects.toThrow("small.onnx' cannot be imported: expected an ONNX model");
});

it('knows nothing of the data of a model that does not say', () => {
  expect(trainingDataOf(build(1))).toBeUndefined();
});

it('says what is wrong with a folder', async () => {
  await expect(loadModel(directory)).rejects.toThrow(/holds no model: expected a folder with model\.json/);
  await saveModel(build(1), directory);
  const { weightsManifest: _, ...withoutWeights } = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8'));
  await writeFile(join(directory, 'model.json'), JSON.stringify(withoutWeights));
  await expect(loadModel(directory)).rejects.toThrow("names no weight files (no 'weightsManifest')");
  await saveModel(build(1), directory);
  await truncate(join(directory, 'weights.bin'), 100);
  await expect(loadModel(directory)).rejects.toThrow(
    /cannot be loaded: Its weights should have \d+ bytes, but the file has 100\. Is it cut short\?/,
  );
});

it('reads no weight file outside of the folder', async () => {
  const folder = join(directory, 'model');
  await saveModel(build(1), folder);
  const json = await readFile(join(folder, 'model.json'), 'utf8');
  // Both would load were they not refused.
  await copyFile(join(folder, 'weights.bin'), join(directory, 'stolen.bin'));
  for (const path of ['../stolen.bin', join(directory, 'stolen.bin'), 'part/../../stolen.bin']) {
    await writeFile(join(folder, 'model.json'), json.replace('weights.bin', path));
    await expect(loadModel(folder)).rejects.toThrow(`names the weight file '${path}'; expected one inside`);
  }
});
