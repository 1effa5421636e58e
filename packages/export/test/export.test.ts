import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  loadLayersModel,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeModel } from '../src/graph/decode.ts';
import { exportOnnx, readOnnxMetadata, writeOnnx } from '../src/index.ts';
import { expectClose, randomImages, randomise, runModel, runOnnx, structureOf } from './oracle.ts';

function classifier(): LayersModel {
  const model = sequential({
    name: 'tiny',
    layers: [
      layers.conv2d({ name: 'conv1', inputShape: [6, 4, 3], filters: 2, kernelSize: 3, padding: 'same' }),
      layers.batchNormalization({ name: 'bn1' }),
      layers.reLU({ name: 'relu1' }),
      layers.globalAveragePooling2d({ name: 'pool' }),
      layers.dense({ name: 'fc', units: 2 }),
    ],
  });
  randomise(model, 1);
  return model;
}

const rgb = { mean: [0.5, 0.25, 0.125], std: [0.5, 1, 2] };

describe('the written file', () => {
  it('states its version, ports, names and shapes', async () => {
    const model = classifier();
    const bytes = await exportOnnx(model);
    expect(readOnnxMetadata(bytes)).toEqual({
      producer: 'secateur',
      producerVersion: JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')).version,
      irVersion: 8,
      opset: 17,
      input: { name: 'input', dims: ['batch', 3, 6, 4] },
      output: { name: 'logits', dims: ['batch', 2] },
      properties: { input_layout: 'NCHW' },
    });
    expect(decodeModel(bytes).graph!.name).toBe('tiny');
    expect(structureOf(bytes)).toEqual({
      ops: ['Conv', 'Relu', 'GlobalAveragePool', 'Flatten', 'Gemm'],
      nodeNames: ['conv1', 'relu1', 'pool', 'pool/flatten', 'fc'],
      initializers: new Map([
        ['conv1/kernel', [2, 3, 3, 3]],
        ['conv1/bias', [2]],
        ['fc/kernel', [2, 2]],
        ['fc/bias', [2]],
      ]),
    });
    model.dispose();
  });

  it('carries class names, normalisation and whatever the caller adds', async () => {
    const model = classifier();
    const metadata = { pruning: '{"macs_removed":0.5}' };
    const bytes = await exportOnnx(model, { classNames: ['cat', 'dog'], ...rgb, inputScale: 1 / 255, metadata });
    const read = readOnnxMetadata(bytes);
    expect(read).toMatchObject({ classNames: ['cat', 'dog'], ...rgb, inputScale: 1 / 255 });
    expect(read.properties).toEqual({
      class_names: '["cat","dog"]',
      mean: '[0.5,0.25,0.125]',
      std: '[0.5,1,2]',
      input_scale: String(1 / 255),
      input_layout: 'NCHW',
      pruning: '{"macs_removed":0.5}',
    });
    model.dispose();
  });

  it('is the same, byte by byte, when the model was saved and loaded', async () => {
    const model = classifier();
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
      }),
    );
    const loaded = await loadLayersModel(tf.io.fromMemory(saved!));
    expect(await exportOnnx(loaded)).toEqual(await exportOnnx(model));
    for (const each of [model, loaded]) each.dispose();
  });

  it('is the same, byte by byte, when written again', async () => {
    const model = classifier();
    expect(await exportOnnx(model)).toEqual(await exportOnnx(model));
    model.dispose();
  });

  it('gives probabilities when asked to, or when the model ends in a softmax', async () => {
    const model = classifier();
    const images = randomImages(model, 3);
    const bytes = await exportOnnx(model, { softmax: true });
    expect(readOnnxMetadata(bytes).output.name).toBe('probabilities');
    const expected = tf.tidy(() => tf.softmax(tf.tensor(runModel(model, images), [3, 2])).dataSync() as Float32Array);
    expectClose(await runOnnx(bytes, images), expected);
    model.dispose();

    const ending = sequential({
      layers: [layers.dense({ name: 'logits', inputShape: [3], units: 2 }), layers.softmax()],
    });
    for (const softmax of [false, true]) {
      const { ops } = structureOf(await exportOnnx(ending, { softmax }));
      expect(ops).toEqual(['Gemm', 'Softmax']);
      expect(readOnnxMetadata(await exportOnnx(ending, { softmax })).output.name).toBe('probabilities');
    }
    ending.dispose();
  });

  it('keeps layer names that are also names of inputs and outputs apart', async () => {
    const model = sequential({
      layers: [
        layers.dense({ name: 'input', inputShape: [3], units: 4 }),
        layers.dense({ name: 'logits', units: 4, activation: 'relu' }),
        layers.dense({ name: 'output', units: 2 }),
      ],
    });
    randomise(model, 5);
    const bytes = await exportOnnx(model);
    expect(structureOf(bytes).nodeNames).toEqual(['input', 'logits', 'logits/relu', 'output']);
    const vectors = randomImages(model, 2);
    expectClose(await runOnnx(bytes, vectors), runModel(model, vectors));
    model.dispose();
  });

  it('passes the input on when the model does nothing', async () => {
    const model = sequential({ layers: [layers.dropout({ inputShape: [3], rate: 0.5 })] });
    const bytes = await exportOnnx(model);
    expect([...(await runOnnx(bytes, { data: Float32Array.of(1, -2, 3), shape: [1, 3] }))]).toEqual([1, -2, 3]);
    expect(structureOf(bytes).ops).toEqual(['Identity']);
  });

  it('leaves the model, its weights and the engine as they were', async () => {
    const model = classifier();
    const weights = () => model.weights.map((variable) => Array.from(variable.read().dataSync()));
    const before = weights();
    const tensors = tf.memory().numTensors;
    await exportOnnx(model, { softmax: true });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(weights()).toEqual(before);
    model.dispose();
  });
});

describe('refusals', () => {
  const last = (x: SymbolicTensor, layer: { apply(x: SymbolicTensor): unknown }) => layer.apply(x) as SymbolicTensor;

  it('lists every layer that has no ONNX form, and why', async () => {
    const x = input({ shape: [4, 4, 2] });
    const up = last(x, layers.upSampling2d({ name: 'up', size: [2, 2] }));
    const norm = last(up, layers.batchNormalization({ name: 'norm', axis: 1 }));
    const dense = last(norm, layers.dense({ name: 'per_pixel', units: 2 }));
    const shaped = last(dense, layers.reshape({ name: 'shuffle', targetShape: [4, 16, 2] }));
    const model = modelOf({ inputs: x, outputs: last(shaped, layers.globalMaxPooling2d({})) });
    const error = await exportOnnx(model).catch((reason: Error) => reason.message);
    expect(error).toContain('4 of 5 layers cannot be written to ONNX:');
    expect(error).toContain('  - up (UpSampling2D): no ONNX form is known for this class');
    expect(error).toContain('  - norm (BatchNormalization): axis 1; only the channel axis (-1) is supported');
    expect(error).toContain('  - per_pixel (Dense): input of rank 4');
    expect(error).toContain('  - shuffle (Reshape): from [8,8,2] to [4,16,2]');
    expect(error).toContain('Replace them');
    model.dispose();
  });

  it.each([
    [layers.conv2d({ filters: 1, kernelSize: 1, dataFormat: 'channelsFirst' }), "dataFormat 'channelsFirst'"],
    [layers.activation({ activation: 'gelu_new' }), "activation 'gelu_new'"],
    [layers.maxPooling2d({ dataFormat: 'channelsFirst' }), "dataFormat 'channelsFirst'"],
  ])('refuses a layer for its configuration %#', async (layer, reason) => {
    const model = sequential({ layers: [layers.inputLayer({ inputShape: [4, 4, 4] }), layer, layers.flatten()] });
    await expect(exportOnnx(model)).rejects.toThrow(reason);
    model.dispose();
  });

  it('wants fixed input sizes and [batch, classes]', async () => {
    const open = sequential({
      layers: [
        layers.conv2d({ inputShape: [null, null, 3], filters: 1, kernelSize: 1 }),
        layers.globalMaxPooling2d({}),
      ],
    });
    await expect(exportOnnx(open)).rejects.toThrow(
      /takes \[null,null,null,3\]\. Build the model with a fixed inputShape/,
    );
    const map = sequential({ layers: [layers.conv2d({ inputShape: [4, 4, 3], filters: 1, kernelSize: 1 })] });
    await expect(exportOnnx(map)).rejects.toThrow(
      /output of shape \[batch, classes\], but layer '.*' gives \[null,4,4,1\]/,
    );
    for (const model of [open, map]) model.dispose();
  });

  it.each([
    [{ classNames: ['cat'] }, /classNames to hold 2 entries .* got 1/],
    [{ mean: [0.5] }, /mean to hold 3 entries .* got 1/],
    [{ std: [1, 0, 1] }, /a number above 0 for std, but got 0/],
    [{ mean: [0, Number.NaN, 0] }, /a finite number for mean, but got NaN/],
    [{ inputScale: 0 }, /a number above 0 for inputScale, but got 0/],
    [{ metadata: { class_names: 'x' } }, /'class_names' is written by the exporter itself/],
  ])('checks the description %#', async (options, message) => {
    const model = classifier();
    await expect(exportOnnx(model, options)).rejects.toThrow(message);
    model.dispose();
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('this is not a model')],
    ['a short message', Uint8Array.of(8, 8)],
  ])('does not take %s for an ONNX file', (_name, bytes) => {
    expect(() => readOnnxMetadata(bytes)).toThrow(/expected an ONNX model, but this cannot be read as one/);
  });

  it('does not take a file that was cut short for an ONNX file', async () => {
    const model = classifier();
    const bytes = await exportOnnx(model);
    expect(() => readOnnxMetadata(bytes.subarray(0, bytes.length / 2))).toThrow(/cut short/);
    model.dispose();
  });
});

describe('writeOnnx', () => {
  let directory = '';
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('writes what exportOnnx gives, and nothing else', async () => {
    directory = await mkdtemp(join(tmpdir(), 'secateur-export-'));
    const model = classifier();
    const bytes = await writeOnnx(model, join(directory, 'model.onnx'), { classNames: ['cat', 'dog'] });
    expect(new Uint8Array(await readFile(join(directory, 'model.onnx')))).toEqual(bytes);
    expect(readOnnxMetadata(bytes).classNames).toEqual(['cat', 'dog']);
    expect(await readdir(directory)).toEqual(['model.onnx']);
    model.dispose();
  });

  it('names the file that cannot be written', async () => {
    directory = await mkdtemp(join(tmpdir(), 'secateur-export-'));
    const model = classifier();
    const path = join(directory, 'missing', 'model.onnx');
    await expect(writeOnnx(model, path)).rejects.toThrow(/missing\/model\.onnx' could not be written/);
    model.dispose();
  });
});
