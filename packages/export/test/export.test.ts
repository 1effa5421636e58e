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
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeModel } from '../src/graph/decode.ts';
import { exportOnnx, readOnnxMetadata, writeOnnx } from '../src/index.ts';
import { editModel } from './onnx-files.ts';
import {
  expectClose,
  randomImages,
  randomInputs,
  randomise,
  runFeeds,
  runModel,
  runModelOn,
  runOnnx,
  runOnnxOn,
  structureOf,
} from './oracle.ts';

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
      inputs: [{ name: 'input', dims: ['batch', 3, 6, 4] }],
      outputs: [{ name: 'logits', dims: ['batch', 2] }],
      input: { name: 'input', dims: ['batch', 3, 6, 4] },
      output: { name: 'logits', dims: ['batch', 2] },
      externalFiles: [],
      properties: { input_layout: 'NCHW', producer: expect.stringMatching(/^secateur \d+\.\d+\.\d+/) },
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

  it('carries class names, normalisation, accuracy, history and whatever the caller adds', async () => {
    const model = classifier();
    const pruning = [{ removedFilters: 3, macs: 1000, accuracy: 0.9 }];
    const description = { classNames: ['cat', 'dog'], ...rgb, inputScale: 1 / 255, accuracy: 0.875, pruning };
    const read = readOnnxMetadata(await exportOnnx(model, { ...description, metadata: { licence: 'CC0' } }));
    expect(read).toMatchObject(description);
    expect(read.properties).toEqual({
      producer: `secateur ${read.producerVersion}`,
      class_names: '["cat","dog"]',
      mean: '[0.5,0.25,0.125]',
      std: '[0.5,1,2]',
      input_scale: String(1 / 255),
      input_layout: 'NCHW',
      accuracy: '0.875',
      pruning: '[{"removedFilters":3,"macs":1000,"accuracy":0.9}]',
      licence: 'CC0',
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

  it('keeps layers of equal names in nested models apart', async () => {
    const half = () => sequential({ layers: [layers.dense({ name: 'fc', inputShape: [3], units: 3 })] });
    const model = sequential({ layers: [half(), half()] });
    randomise(model, 6);
    const bytes = await exportOnnx(model);
    const { nodeNames, initializers } = structureOf(bytes);
    expect(nodeNames).toEqual(['fc', 'fc_1']);
    expect([...initializers.keys()]).toEqual(['fc/kernel', 'fc/bias', 'fc/kernel_1', 'fc/bias_1']);
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

describe('several inputs and outputs', () => {
  function twoInTwoOut(): LayersModel {
    const image = input({ name: 'image', shape: [4, 6, 3] });
    const facts = input({ name: 'facts', shape: [5] });
    const map = layers
      .conv2d({ name: 'map', filters: 2, kernelSize: 3, padding: 'same' })
      .apply(image) as SymbolicTensor;
    const pooled = layers.globalMaxPooling2d({ name: 'pool' }).apply(map) as SymbolicTensor;
    const all = layers.concatenate({ name: 'all' }).apply([facts, pooled]) as SymbolicTensor;
    const label = layers.dense({ name: 'label', units: 3, activation: 'softmax' }).apply(all) as SymbolicTensor;
    const model = modelOf({ inputs: [facts, image], outputs: [map, label] });
    randomise(model, 2);
    return model;
  }

  it('are named after their layers, in the order of the model', async () => {
    const model = twoInTwoOut();
    const bytes = await exportOnnx(model);
    const { inputs, outputs, properties } = readOnnxMetadata(bytes);
    expect(inputs).toEqual([
      { name: 'facts', dims: ['batch', 5] },
      { name: 'image', dims: ['batch', 3, 4, 6] },
    ]);
    expect(outputs).toEqual([
      { name: 'map', dims: ['batch', 2, 4, 6] },
      { name: 'label', dims: ['batch', 3] },
    ]);
    expect(properties.input_layout).toBe('NC,NCHW');
    structureOf(bytes);
    const numbers = randomInputs(model, 3);
    const expected = runModelOn(model, numbers);
    (await runOnnxOn(bytes, numbers)).forEach((output, i) => {
      expectClose(output, expected[i]!);
    });
    model.dispose();
  });

  it('get a softmax over the classes where they lack one', async () => {
    const model = twoInTwoOut();
    const bytes = await exportOnnx(model, { softmax: true });
    const [map, label] = await runOnnxOn(bytes, randomInputs(model, 1));
    const pixels = 4 * 6;
    for (let pixel = 0; pixel < pixels; pixel++) expect(map![pixel]! + map![pixel + pixels]!).toBeCloseTo(1, 5);
    expect(label!.reduce((sum, share) => sum + share)).toBeCloseTo(1, 5);
    expect(structureOf(bytes).ops.filter((op) => op === 'Softmax')).toHaveLength(2);
    model.dispose();
  });

  it('may be one and the same value', async () => {
    const x = input({ shape: [3] });
    const same = layers.dropout({ name: 'same', rate: 0.5 }).apply(x) as SymbolicTensor;
    const sum = layers.dense({ name: 'sum', units: 2 }).apply(same) as SymbolicTensor;
    const noisy = layers.gaussianNoise({ name: 'noisy', stddev: 1 }).apply(sum) as SymbolicTensor;
    const model = modelOf({ inputs: x, outputs: [same, sum, noisy] });
    randomise(model, 4);
    const bytes = await exportOnnx(model);
    expect(structureOf(bytes).ops).toEqual(['Gemm', 'Identity', 'Identity']);
    expect(readOnnxMetadata(bytes).outputs.map(({ name }) => name)).toEqual(['same', 'sum', 'noisy']);
    const numbers = randomInputs(model, 2);
    const expected = runModelOn(model, numbers);
    (await runOnnxOn(bytes, numbers)).forEach((output, i) => {
      expectClose(output, expected[i]!);
    });
    model.dispose();
  });
});

describe('other forms of input', () => {
  it('takes NHWC with a single transpose', async () => {
    const model = classifier();
    const bytes = await exportOnnx(model, { inputLayout: 'NHWC' });
    expect(readOnnxMetadata(bytes)).toMatchObject({
      input: { name: 'input', dims: ['batch', 6, 4, 3] },
      properties: { input_layout: 'NHWC' },
    });
    expect(structureOf(bytes).ops[0]).toBe('Transpose');
    expect(structureOf(bytes).ops.filter((op) => op === 'Transpose')).toHaveLength(1);
    const images = randomImages(model, 3);
    const [logits] = await runFeeds(bytes, [new Tensor('float32', images.data, images.shape)]);
    expectClose(logits!, runModel(model, images));
    model.dispose();
  });

  it('takes pixels as they are and gives probabilities', async () => {
    const model = classifier();
    const bytes = await exportOnnx(model, { ...rgb, inputScale: 1 / 255, preprocessing: true });
    expect(readOnnxMetadata(bytes)).toMatchObject({
      input: { name: 'input', dims: ['batch', 6, 4, 3], type: 'uint8' },
      output: { name: 'probabilities' },
      properties: { input_layout: 'NHWC', input_values: 'pixels' },
    });
    const pixels = Uint8Array.from({ length: 2 * 6 * 4 * 3 }, (_, i) => (i * 37) % 256);
    const [probabilities] = await runFeeds(bytes, [new Tensor('uint8', pixels, [2, 6, 4, 3])]);
    const standardised = Float32Array.from(pixels, (pixel, i) => (pixel / 255 - rgb.mean[i % 3]!) / rgb.std[i % 3]!);
    const logits = runModel(model, { data: standardised, shape: [2, 6, 4, 3] });
    expectClose(
      probabilities!,
      tf.tidy(() => tf.softmax(tf.tensor(logits, [2, 2])).dataSync() as Float32Array),
    );

    const plain = await exportOnnx(model, { inputScale: 1 / 255, preprocessing: true, softmax: false });
    expect(readOnnxMetadata(plain).output.name).toBe('logits');
    model.dispose();
  });

  it('refuses to preprocess what is not one input of images', async () => {
    const vectors = sequential({ layers: [layers.dense({ inputShape: [3], units: 2 })] });
    await expect(exportOnnx(vectors, { preprocessing: true, inputScale: 1 })).rejects.toThrow(
      'Expected a model with one input of images for preprocessing, but it takes 1 of shape [batch, 3].',
    );
    vectors.dispose();
  });
});

it('offers every operator set that the installed onnxruntime takes, and no other', async () => {
  const model = classifier();
  const open = async (bytes: Uint8Array) => (await InferenceSession.create(bytes, { logSeverityLevel: 4 })).release();
  const opsets = Array.from({ length: 10 }, (_, i) => 17 + i);
  for (const opset of opsets) await open(await exportOnnx(model, { opset }));
  const next = opsets.at(-1)! + 1;
  await expect(exportOnnx(model, { opset: next })).rejects.toThrow(`from 17 to ${opsets.at(-1)}, but got ${next}`);
  const unreleased = editModel(await exportOnnx(model), (_graph, { opsetImport }) => {
    opsetImport[0]!.version = next;
  });
  await expect(open(unreleased)).rejects.toThrow(/opset/i);
  model.dispose();
});

describe('refusals', () => {
  const last = (x: SymbolicTensor, layer: { apply(x: SymbolicTensor): unknown }) => layer.apply(x) as SymbolicTensor;

  it('lists every layer that has no ONNX form, and why', async () => {
    const x = input({ shape: [4, 4, 2] });
    const norm = last(x, layers.batchNormalization({ name: 'norm', axis: 1 }));
    const flat = last(norm, layers.reshape({ name: 'tokens', targetShape: [16, 2] }));
    const causal = last(flat, layers.conv1d({ name: 'causal', filters: 2, kernelSize: 2, padding: 'causal' }));
    const model = modelOf({ inputs: x, outputs: last(causal, layers.masking({ name: 'mask' })) });
    const error = await exportOnnx(model).catch((reason: Error) => reason.message);
    expect(error).toContain('3 of 4 layers cannot be written to ONNX:');
    expect(error).toContain('  - mask (Masking): no ONNX form is known for this class');
    expect(error).toContain('  - norm (BatchNormalization): axis 1; only the channel axis (-1) is supported');
    expect(error).toContain("  - causal (Conv1D): padding 'causal'");
    expect(error).toContain('Replace them');
    model.dispose();
  });

  it.each([
    [layers.conv2d({ filters: 1, kernelSize: 1, dataFormat: 'channelsFirst' }), "dataFormat 'channelsFirst'"],
    [layers.softmax({ axis: 1 }), 'axis 1; only the last one'],
    [layers.maxPooling2d({ dataFormat: 'channelsFirst' }), "dataFormat 'channelsFirst'"],
  ])('refuses a layer for its configuration %#', async (layer, reason) => {
    const model = sequential({ layers: [layers.inputLayer({ inputShape: [4, 4, 4] }), layer, layers.flatten()] });
    await expect(exportOnnx(model)).rejects.toThrow(reason);
    model.dispose();
  });

  it('wants fixed input sizes', async () => {
    const open = sequential({
      layers: [
        layers.conv2d({ inputShape: [null, null, 3], filters: 1, kernelSize: 1 }),
        layers.globalMaxPooling2d({}),
      ],
    });
    await expect(exportOnnx(open)).rejects.toThrow(
      /takes \[null,null,null,3\]\. Build the model with a fixed inputShape/,
    );
    open.dispose();
  });

  it.each([
    [{ classNames: ['cat'] }, /classNames to hold 2 entries .* got 1/],
    [{ mean: [0.5] }, /mean to hold 3 entries .* got 1/],
    [{ std: [1, 0, 1] }, /a number above 0 for std, but got 0/],
    [{ mean: [0, Number.NaN, 0] }, /a finite number for mean, but got NaN/],
    [{ accuracy: 1.5 }, /a number between 0 and 1 for accuracy, but got 1.5/],
    [{ opset: 16 }, /opset to be a whole number from 17 to \d+, but got 16/],
    [{ opset: 17.5 }, /opset to be a whole number/],
    [{ preprocessing: true }, /Expected mean, std or inputScale for preprocessing/],
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
