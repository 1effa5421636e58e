import { vgg11 } from '@secateur/models';
import * as tf from '@tensorflow/tfjs-core';
import {
  initializers,
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeModel } from '../src/graph/decode.ts';
import { checkOnnx, exportOnnx, quantise, readOnnxMetadata } from '../src/index.ts';
import { floatsOf } from '../src/precision/graph-editor.ts';
import { float32, operatorsThatRun, sketch } from './onnx-files.ts';
import { expectClose, randomImages, randomise, randomNumbers, runModel, runOnnx } from './oracle.ts';

const CLASSES = 4;

/** Stripes of four directions, with noise. */
function stripes(count: number, seed: number): { data: Float32Array; shape: number[]; labels: number[] } {
  const next = randomNumbers(seed);
  const labels = Array.from({ length: count }, (_, i) => i % CLASSES);
  const data = labels.flatMap((label) => {
    const phase = Math.PI * next();
    return Array.from({ length: 64 }, (_, pixel) => {
      const [row, column] = [Math.floor(pixel / 8), pixel % 8];
      const along = [row, column, row + column, row - column][label]!;
      return Math.sin(1.6 * along + phase) + 0.9 * next();
    });
  });
  return { data: Float32Array.from(data), shape: [count, 8, 8, 1], labels };
}

let model: LayersModel;
let bytes: Uint8Array;
const training = stripes(192, 1);
const test = stripes(200, 2);
const calibration = { images: training.data.subarray(0, 64 * 64), shape: [64, 8, 8, 1] };

beforeAll(async () => {
  const x = input({ shape: [8, 8, 1] });
  const through = (y: SymbolicTensor, ...steps: { apply(y: SymbolicTensor): unknown }[]) =>
    steps.reduce((value, step) => step.apply(value) as SymbolicTensor, y);
  const trunk = through(
    x,
    layers.conv2d({
      name: 'conv1',
      filters: 8,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      kernelInitializer: initializers.heNormal({ seed: 1 }),
    }),
    layers.batchNormalization({ name: 'norm1' }),
    layers.reLU({ name: 'relu1' }),
  );
  const branch = through(
    trunk,
    layers.conv2d({
      name: 'conv2',
      filters: 8,
      kernelSize: 3,
      padding: 'same',
      kernelInitializer: initializers.heNormal({ seed: 2 }),
    }),
  );
  const joined = layers.add({ name: 'add' }).apply([trunk, branch]) as SymbolicTensor;
  const output = through(
    joined,
    layers.reLU({ name: 'relu2' }),
    layers.maxPooling2d({ name: 'pool', poolSize: 2 }),
    layers.flatten({ name: 'flat' }),
    layers.dense({ name: 'fc1', units: 96, activation: 'relu', kernelInitializer: initializers.heNormal({ seed: 3 }) }),
    layers.dense({ name: 'fc2', units: CLASSES, kernelInitializer: initializers.heNormal({ seed: 4 }) }),
  );
  model = modelOf({ inputs: x, outputs: output });
  model.compile({
    optimizer: tf.train.adam(0.01),
    loss: (labels, logits) => tf.losses.softmaxCrossEntropy(labels, logits),
  });
  const [images, labels] = [
    tf.tensor(training.data, training.shape),
    tf.oneHot(tf.tensor1d(training.labels, 'int32'), CLASSES),
  ];
  await model.fit(images, labels, { epochs: 3, batchSize: 32, shuffle: false, verbose: 0 });
  tf.dispose([images, labels]);
  bytes = await exportOnnx(model);
}, 60_000);
afterAll(() => model.dispose());

function accuracy(logits: Float32Array): number {
  const right = test.labels.filter((label, i) => {
    const row = [...logits.subarray(i * CLASSES, (i + 1) * CLASSES)];
    return row.indexOf(Math.max(...row)) === label;
  });
  return right.length / test.labels.length;
}

describe('a trained network', () => {
  it.each([
    ['min-max', {}],
    ['a percentile', { range: { percentile: 99.95 } }],
    ['7 bits', { weightBits: 7 as const }],
  ])('keeps its accuracy: %s', async (_name, options) => {
    const int8 = await quantise(bytes, { ...calibration, ...options });
    const [wide, narrow] = [await runOnnx(bytes, test), await runOnnx(int8, test)];
    expect(accuracy(wide)).toBeGreaterThan(0.9);
    expect(accuracy(narrow)).toBeGreaterThanOrEqual(accuracy(wide) - 0.01);
    const spread = Math.max(...wide.map(Math.abs));
    const differences = wide.map((logit, i) => Math.abs(logit - narrow[i]!));
    expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.02 * spread);
    expect(Math.max(...differences)).toBeGreaterThan(0);
    expect(bytes.length / int8.length).toBeGreaterThan(2.5);
    expect(readOnnxMetadata(int8).properties.precision).toBe('int8');
    checkOnnx(int8);
  });

  it('computes in int8 in onnxruntime: nothing between input and logits is widened', async () => {
    const int8 = await quantise(bytes, calibration);
    const ops = await operatorsThatRun(int8);
    expect(ops.filter((op) => op === 'QLinearConv')).toHaveLength(2);
    expect(ops.filter((op) => op === 'QGemm')).toHaveLength(2);
    expect(ops).toContain('QLinearAdd');
    expect(ops.filter((op) => ['Conv', 'FusedConv', 'Gemm', 'Relu', 'Add', 'DequantizeLinear'].includes(op))).toEqual(
      [],
    );
    expect(ops.filter((op) => op === 'QuantizeLinear')).toHaveLength(1);
  });

  it('keeps the layers in float32 that it shall', async () => {
    const ops = await operatorsThatRun(await quantise(bytes, { ...calibration, keep: ['conv1', 'fc2'] }));
    expect(ops.filter((op) => op === 'QLinearConv')).toHaveLength(1);
    expect(ops.filter((op) => op === 'QGemm')).toHaveLength(1);
  });

  it('scales every filter by its largest weight, and every activation by its range', async () => {
    const graph = decodeModel(await quantise(bytes, calibration)).graph!;
    const constant = (name: string) => graph.initializer!.find((tensor) => tensor.name === name)!;
    const kernel = floatsOf(decodeModel(bytes).graph!.initializer!.find(({ name }) => name === 'fc1/kernel')!);
    const scales = floatsOf(constant('fc1/kernel/scale'));
    const stored = new Int8Array(constant('fc1/kernel/quantized').rawData!);
    const features = kernel.length / 96;
    for (const unit of [0, 50, 95]) {
      const row = kernel.subarray(unit * features, (unit + 1) * features);
      expect(scales[unit]).toBeCloseTo(Math.max(...row.map(Math.abs)) / 127, 6);
      expect(Math.max(...stored.subarray(unit * features, (unit + 1) * features).map(Math.abs))).toBe(127);
    }
    const [least, most] = [Math.min(...calibration.images), Math.max(...calibration.images)];
    const [scale] = floatsOf(constant('input/scale'));
    expect(scale).toBeCloseTo((most - least) / 255, 6);
    expect([...constant('input/zero_point').rawData!]).toEqual([Math.round(-least / scale!)]);
    expect([...constant('relu1/zero_point').rawData!]).toEqual([0]);
    expect(constant('conv1/scale')).toBeUndefined();
  });
});

it('makes the file of a usual network about four times smaller', async () => {
  const vgg = vgg11({ width: 0.25, seed: 1 });
  const wide = await exportOnnx(vgg);
  const images = randomImages(vgg, 2);
  const int8 = await quantise(wide, { images: images.data, shape: images.shape });
  expect(wide.length / int8.length).toBeGreaterThan(3.8);
  vgg.dispose();
});

it('cuts rare outliers off by a percentile', async () => {
  const linear = sequential({ layers: [layers.dense({ name: 'fc', inputShape: [1], units: 1 })] });
  const images = Float32Array.from({ length: 10_000 }, (_, i) => (i === 0 ? 1000 : (i % 100) / 100));
  const scaleOf = async (range: 'min-max' | { percentile: number }) => {
    const int8 = await quantise(await exportOnnx(linear), { images, shape: [10_000, 1], range, batchSize: 3000 });
    return floatsOf(decodeModel(int8).graph!.initializer!.find(({ name }) => name === 'input/scale')!)[0]! * 255;
  };
  expect(await scaleOf('min-max')).toBeCloseTo(1000, 2);
  // To a bin of 1000 / 4096.
  expect(await scaleOf({ percentile: 99.9 })).toBeCloseTo(1, 0);
  linear.dispose();
});

it('weights and biases of dead filters do no harm', async () => {
  const dead = sequential({
    layers: [layers.dense({ name: 'fc', inputShape: [2], units: 3 }), layers.dense({ name: 'out', units: 2 })],
  });
  randomise(dead, 3);
  dead.layers[0]!.setWeights([tf.tensor([0, 1e-30, 0.5, 0, 0, 0.25], [2, 3]), tf.tensor([0.5, -3, 0])]);
  const images = randomImages(dead, 200);
  const int8 = await quantise(await exportOnnx(dead), { images: images.data, shape: images.shape });
  const [expected, actual] = [runModel(dead, images), await runOnnx(int8, images)];
  expect(Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)))).toBeLessThan(0.05);
  dead.dispose();
});

it('says what it cannot quantise', async () => {
  const old = sketch({
    opset: 11,
    inputs: { x: ['batch', 3, 4, 4] },
    constants: { w: float32([2, 3, 3, 3]) },
    nodes: [{ op: 'Conv', inputs: ['x', 'w'], outputs: ['y'] }],
    outputs: ['y'],
  });
  await expect(quantise(old, { images: new Float32Array(48), shape: [1, 4, 4, 3] })).rejects.toThrow(
    /operator set 13 or newer, .* but it is of 11/,
  );
  const int8 = await quantise(bytes, calibration);
  await expect(quantise(int8, calibration)).rejects.toThrow(/this one is quantised/);
  await expect(quantise(bytes, { ...calibration, shape: [65, 8, 8, 1] })).rejects.toThrow(
    /Expected 4160 values .* but got 4096/,
  );
  await expect(quantise(bytes, { ...calibration, range: { percentile: 20 } })).rejects.toThrow(/percentile above 50/);
  await expect(quantise(bytes, { ...calibration, keep: ['no'] })).rejects.toThrow(/none called no/);
  const pooling = sequential({ layers: [layers.globalAveragePooling2d({ inputShape: [4, 4, 2] })] });
  const images = randomImages(pooling, 1);
  await expect(quantise(await exportOnnx(pooling), { images: images.data, shape: images.shape })).rejects.toThrow(
    /convolutions or dense layers .* it has none/,
  );
  expectClose(await runOnnx(bytes, test), runModel(model, test));
  pooling.dispose();
});
