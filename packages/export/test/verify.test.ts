import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resnet, uNet, vgg16 } from '@secateur/models';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, toModelProto } from '../src/graph/encode.ts';
import { OnnxGraph } from '../src/graph/onnx-graph.ts';
import { exportOnnx, measureLatency, quantise, readOnnxMetadata, toFloat16, verify } from '../src/index.ts';
import { quantile } from '../src/runtime/latency.ts';
import { randomImages, randomInputs, randomise, structureOf } from './oracle.ts';

function classifier(seed: number): LayersModel {
  const model = sequential({
    layers: [
      layers.conv2d({ inputShape: [5, 4, 3], filters: 4, kernelSize: 3 }),
      layers.batchNormalization(),
      layers.reLU(),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
  });
  randomise(model, seed);
  return model;
}

describe('verify', () => {
  let model: LayersModel;
  let bytes: Uint8Array;
  let directory: string;

  beforeAll(async () => {
    model = classifier(1);
    bytes = await exportOnnx(model);
    directory = await mkdtemp(join(tmpdir(), 'secateur-verify-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('passes an export of the model, in batches and from a file, and leaves no tensor behind', async () => {
    const { data: images, shape } = randomImages(model, 7);
    const path = join(directory, 'model.onnx');
    await writeFile(path, bytes);
    const before = tf.memory().numTensors;
    const whole = await verify(model, bytes, { images, shape });
    const batches = await verify(model, path, { images, shape, batchSize: 3 });
    expect(tf.memory().numTensors).toBe(before);
    for (const report of [whole, batches]) {
      expect(report).toMatchObject({
        images: 7,
        tolerance: 1e-4,
        sameClass: 7,
        ties: 0,
        differentClass: 0,
        passed: true,
      });
      expect(report.maxAbsDifference).toBeGreaterThan(0);
      expect(report.maxAbsDifference).toBeLessThan(1e-5);
      expect(report).not.toHaveProperty('accuracy');
    }
  });

  it('states both accuracies when labels are given', async () => {
    const { data: images, shape } = randomImages(model, 4);
    const classes = tf.tidy(() => {
      const logits = model.predictOnBatch(tf.tensor(images, shape)) as tf.Tensor;
      return [...tf.argMax(logits, 1).dataSync()];
    });
    const labels = classes.map((label, i) => (i === 0 ? (label + 1) % 3 : label));
    expect((await verify(model, bytes, { images, shape, labels })).accuracy).toEqual({ model: 0.75, onnx: 0.75 });
  });

  it('fails the export of a model with other weights', async () => {
    const other = classifier(2);
    const { data: images, shape } = randomImages(model, 20);
    const report = await verify(model, await exportOnnx(other), { images, shape });
    expect(report.passed).toBe(false);
    expect(report.differentClass).toBeGreaterThan(0);
    expect(report.sameClass + report.ties + report.differentClass).toBe(20);
  });

  it('fails a model whose logits are not numbers', async () => {
    const broken = classifier(3);
    tf.tidy(() => {
      broken.weights.at(-3)!.write(tf.fill([3], Number.NaN));
    });
    const { data: images, shape } = randomImages(broken, 2);
    const report = await verify(broken, await exportOnnx(broken), { images, shape });
    expect(report).toMatchObject({ passed: false, maxAbsDifference: Number.POSITIVE_INFINITY });
  });

  it('compares probabilities when the exporter appended a softmax', async () => {
    const { data: images, shape } = randomImages(model, 3);
    const report = await verify(model, await exportOnnx(model, { softmax: true }), { images, shape, tolerance: 1e-5 });
    expect(report.passed).toBe(true);
  });

  it('gives a file that takes pixels whole ones, and the model the same, in every precision', async () => {
    const scaling = { mean: [0.5, 0.4, 0.6], std: [0.25, 0.2, 0.3], inputScale: 1 / 255 };
    const pixels = await exportOnnx(model, { preprocessing: true, ...scaling });
    const { data: images, shape } = randomImages(model, 20);
    expect(await verify(model, pixels, { images, shape })).toMatchObject({ passed: true, sameClass: 20 });
    const reduced = [
      await toFloat16(pixels),
      await toFloat16(pixels, { activations: true }),
      await quantise(pixels, { images, shape }),
    ];
    for (const file of reduced) {
      expect(readOnnxMetadata(file).input).toEqual(readOnnxMetadata(pixels).input);
      const report = await verify(model, file, { images, shape, tolerance: 0.02 });
      expect(report.passed, JSON.stringify(report)).toBe(true);
      expect(report.maxAbsDifference).toBeGreaterThan(1e-6);
    }
    expect((await measureLatency(pixels, { runs: 2 })).medianMs).toBeGreaterThan(0);
  });

  it.each([
    [{ shape: [2, 4, 5, 3] }, /images of shape \[count, 5,4,3\] .* got \[2,4,5,3\]/],
    [{ shape: [0, 5, 4, 3] }, /got \[0,5,4,3\]/],
    [{ shape: [3, 5, 4, 3] }, /Expected 180 values .* got 120/],
    [{ labels: [1] }, /one label for each of the 2 images, but got 1/],
    [{ batchSize: 0 }, /batchSize to be a positive integer, but got 0/],
  ])('checks its arguments %#', async (wrong, message) => {
    const { data: images, shape } = randomImages(model, 2);
    await expect(verify(model, bytes, { images, shape, ...wrong })).rejects.toThrow(message);
  });

  it('passes on why onnxruntime does not accept a file', async () => {
    const graph = new OnnxGraph({ inputs: ['input'], reserved: ['logits'], opset: 17 });
    graph.outputs = [graph.addNode('layer', 'NoSuchOperator', ['input'])];
    graph.nameOutput(0, 'logits');
    const ports = {
      inputs: [{ name: 'input', dims: ['batch', 3, 5, 4] }],
      outputs: [{ name: 'logits', dims: ['batch', 3] }],
    };
    const foreign = encode(toModelProto({ name: 'foreign', graph, ...ports, properties: {} }));
    const { data: images, shape } = randomImages(model, 2);
    await expect(verify(model, foreign, { images, shape })).rejects.toThrow(
      /does not accept this model: .*NoSuchOperator/,
    );
  });

  it('says when a file belongs to another model, is not ONNX, or is not there', async () => {
    const other = sequential({ layers: [layers.dense({ inputShape: [60], units: 3 })] });
    const { data: images, shape } = randomImages(model, 2);
    await expect(verify(model, await exportOnnx(other), { images, shape })).rejects.toThrow(
      /input \[batch,3,5,4\] .* it has \[batch,60\] and \[batch,3\]/,
    );
    const path = join(directory, 'text.onnx');
    await writeFile(path, 'not a model');
    await expect(verify(model, path, { images, shape })).rejects.toThrow(
      /text\.onnx' \(11 bytes\): expected an ONNX model/,
    );
    await expect(verify(model, join(directory, 'absent.onnx'), { images, shape })).rejects.toThrow(/could not be read/);
  });
});

describe('networks that are no plain classifiers', () => {
  const twoInputs = () => {
    const image = input({ shape: [6, 5, 3], name: 'image' });
    const facts = input({ shape: [4], name: 'facts' });
    const steps = input({ shape: [7, 2], name: 'steps' });
    const apply = (layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown }, ...x: SymbolicTensor[]) =>
      layer.apply(x.length === 1 ? x[0]! : x) as SymbolicTensor;
    const map = apply(layers.conv2d({ name: 'map', filters: 4, kernelSize: 3, padding: 'same' }), image);
    const sequence = apply(layers.conv1d({ name: 'sequence', filters: 3, kernelSize: 3 }), steps);
    const flat = [map, sequence].map((x) => apply(layers.flatten(), x));
    const joined = apply(layers.concatenate(), ...flat, facts);
    const species = apply(layers.dense({ name: 'species', units: 5 }), joined);
    const colour = apply(layers.dense({ name: 'colour', units: 3, activation: 'softmax' }), joined);
    const model = modelOf({ inputs: [image, facts, steps], outputs: [species, map, colour, sequence] });
    randomise(model, 5);
    return model;
  };

  it.each(['NCHW', 'NHWC'] as const)('several inputs and outputs of all ranks, %s', async (inputLayout) => {
    const model = twoInputs();
    const inputs = randomInputs(model, 5).map(({ data: images, shape }) => ({ images, shape }));
    const before = tf.memory().numTensors;
    for (const softmax of [false, true]) {
      const bytes = await exportOnnx(model, { inputLayout, softmax });
      const report = await verify(model, bytes, { inputs, batchSize: 2, labels: [0, 1, 2, 3, 4] });
      // For each image one of species and colour, one at each of 30 pixels and 5 steps.
      const predictions = 5 * (1 + 30 + 1 + 5);
      expect(report).toMatchObject({ passed: true, images: 5, predictions, sameClass: predictions });
      expect(report.accuracy!.onnx).toBe(report.accuracy!.model);
      expect((await measureLatency(bytes, { batchSize: 2, runs: 1 })).medianMs).toBeGreaterThan(0);
    }
    expect(tf.memory().numTensors).toBe(before);
    const int8 = await quantise(await exportOnnx(model, { inputLayout }), { inputs });
    const report = await verify(model, int8, { inputs, tolerance: 0.2 });
    expect(report.passed, JSON.stringify(report)).toBe(true);
    expect(report.maxAbsDifference).toBeGreaterThan(1e-4);
    model.dispose();
  });

  it('tells one that computes something else in its second output alone', async () => {
    const [model, other] = [twoInputs(), twoInputs()];
    const kernel = other.getLayer('map').weights[1]!;
    tf.tidy(() => {
      kernel.write(tf.add(kernel.read(), 1e-3));
    });
    const inputs = randomInputs(model, 2).map(({ data: images, shape }) => ({ images, shape }));
    const report = await verify(model, await exportOnnx(other), { inputs, tolerance: 1e-4 });
    expect(report.passed).toBe(false);
    expect(report.maxAbsDifference).toBeGreaterThan(9e-4);
    for (const each of [model, other]) each.dispose();
  });

  it('says how many inputs it wants, and how many of each', async () => {
    const model = twoInputs();
    const bytes = await exportOnnx(model);
    const inputs = randomInputs(model, 2).map(({ data: images, shape }) => ({ images, shape }));
    await expect(verify(model, bytes, inputs[0]!)).rejects.toThrow(/each of the 3 inputs .* got some for 1/);
    const [first, ...others] = inputs;
    const one = { images: first!.images.subarray(0, 90), shape: [1, 6, 5, 3] };
    await expect(verify(model, bytes, { inputs: [one, ...others] })).rejects.toThrow(
      'Expected 1 images for each input, but got some of shape [2,4].',
    );
    await expect(quantise(bytes, { inputs: [] })).rejects.toThrow('an empty list of inputs');
    model.dispose();
  });

  it('labels of pixels: a U-Net', async () => {
    const model = uNet({ levels: 1, width: 0.25, inputShape: [8, 8, 3], classes: 4, seed: 3 });
    const { data: images, shape } = randomImages(model, 3);
    const labels = Int32Array.from({ length: 3 * 64 }, (_, i) => i % 4);
    const report = await verify(model, await exportOnnx(model), { images, shape, labels, batchSize: 2 });
    expect(report).toMatchObject({ passed: true, images: 3, predictions: 192, sameClass: 192 });
    const right = tf.tidy(() => {
      const predicted = tf.argMax(model.predictOnBatch(tf.tensor(images, shape)) as tf.Tensor, -1).dataSync();
      return labels.filter((label, i) => label === predicted[i]).length;
    });
    expect(report.accuracy).toEqual({ model: right / 192, onnx: right / 192 });
    await expect(verify(model, await exportOnnx(model), { images, shape, labels: [1] })).rejects.toThrow(
      'one label for each of the 64 positions of the 3 images, but got 1',
    );
    model.dispose();
  });
});

describe('the networks of @secateur/models', () => {
  it.each([
    ['ResNet-20', () => resnet({ depth: 20, width: 0.25, seed: 3 })],
    ['VGG16', () => vgg16({ width: 1 / 16, seed: 3 })],
  ])('%s: same logits, no transpose, no batch normalisation left', async (_name, build) => {
    const model = build();
    randomise(model, 4, (name) => !name.endsWith('kernel'));
    const { data: images, shape } = randomImages(model, 3);
    for (const foldBatchNorm of [true, false]) {
      const bytes = await exportOnnx(model, { foldBatchNorm });
      const report = await verify(model, bytes, { images, shape, tolerance: 1e-4 });
      expect(report, JSON.stringify(report)).toMatchObject({ passed: true, sameClass: 3 });
      const { ops } = structureOf(bytes);
      expect(ops.includes('BatchNormalization')).toBe(!foldBatchNorm);
      expect(ops.filter((op) => op === 'Transpose' || op === 'Gather')).toEqual([]);
      expect(readOnnxMetadata(bytes).input.dims).toEqual(['batch', 3, 32, 32]);
    }
    model.dispose();
  });
});

describe('measureLatency', () => {
  it('times one model, or several in the order given', async () => {
    const model = classifier(1);
    const folded = await exportOnnx(model);
    const plain = await exportOnnx(model, { foldBatchNorm: false });
    const results = await measureLatency([folded, plain], { batchSize: 2, runs: 4, warmupRuns: 1, threads: 1 });
    expect(results.map(({ bytes }) => bytes)).toEqual([folded.length, plain.length]);
    for (const latency of [...results, await measureLatency(folded, { batchSize: 2, runs: 4 })]) {
      expect(latency).toMatchObject({ batchSize: 2, runs: 4 });
      expect(latency.medianMs).toBeGreaterThan(0);
      expect(latency.p95Ms).toBeGreaterThanOrEqual(latency.medianMs);
    }
    model.dispose();
  });

  it('refuses files that are not ONNX and counts that are not positive', async () => {
    await expect(measureLatency(new Uint8Array(3))).rejects.toThrow(/expected an ONNX model/);
    await expect(measureLatency([], { runs: 0 })).rejects.toThrow(/runs to be a positive integer, but got 0/);
    await expect(measureLatency([], { batchSize: 1.5 })).rejects.toThrow(/batchSize .* but got 1\.5/);
  });

  it('interpolates between sorted values', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([5, 1, 3], 0.5)).toBe(3);
    expect(
      quantile(
        Array.from({ length: 101 }, (_, i) => i),
        0.95,
      ),
    ).toBe(95);
  });
});
