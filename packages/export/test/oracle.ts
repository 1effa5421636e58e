import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import { decodeModel } from '../src/graph/decode.ts';
import { checkOnnx, type Dim } from '../src/index.ts';
import { showEveryValue } from './onnx-files.ts';

/** A repeatable stream of numbers in [-1, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Fills weights at random, by default all, so that biases, shifts and moving statistics take part. */
export function randomise(model: LayersModel, seed: number, chosen: (weight: string) => boolean = () => true): void {
  const next = randomNumbers(seed);
  for (const variable of model.weights.filter(({ originalName }) => chosen(originalName))) {
    const positive = variable.originalName.endsWith('moving_variance');
    const data = Float32Array.from({ length: tf.util.sizeFromShape(variable.shape as number[]) }, () => {
      const value = next();
      return positive ? 0.3 + Math.abs(value) : value;
    });
    tf.tidy(() => {
      variable.write(tf.tensor(data, variable.shape as number[]));
    });
  }
}

/** Numbers channels last, as TensorFlow.js has them. */
export interface Numbers {
  readonly data: Float32Array;
  readonly shape: number[];
}

/** For each of the model's inputs. */
export function randomInputs(model: LayersModel, count: number, seed = 7): Numbers[] {
  return model.inputs.map((input, i) => {
    const shape = [count, ...(input.shape.slice(1) as number[])];
    return { data: Float32Array.from({ length: tf.util.sizeFromShape(shape) }, randomNumbers(seed + i)), shape };
  });
}

export function randomImages(model: LayersModel, count: number, seed = 7): Numbers {
  return randomInputs(model, count, seed)[0]!;
}

/** The first output of a file that takes channels first. */
export async function runOnnx(bytes: Uint8Array, images: Numbers): Promise<Float32Array> {
  return (await runOnnxOn(bytes, [images]))[0]!;
}

/** All outputs, as the file gives them. */
export async function runOnnxOn(bytes: Uint8Array, inputs: readonly Numbers[]): Promise<Float32Array[]> {
  return runFeeds(bytes, inputs.map(tensorOf));
}

/** Channels first. */
function tensorOf({ data, shape }: Numbers): Tensor {
  const planes = tf.tidy(() => {
    const arranged = channelsFirst(tf.tensor(data, shape));
    return { data: arranged.dataSync() as Float32Array, dims: arranged.shape };
  });
  return new Tensor('float32', planes.data, planes.dims);
}

/** All outputs of a file whose inputs are these tensors. */
export async function runFeeds(bytes: Uint8Array, inputs: readonly Tensor[]): Promise<Float32Array[]> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  try {
    const feeds = Object.fromEntries(session.inputNames.map((name, i) => [name, inputs[i]!]));
    const outputs = await session.run(feeds);
    return session.outputNames.map((name) => outputs[name]!.data as Float32Array);
  } finally {
    await session.release();
  }
}

/** The first output, channels first. */
export function runModel(model: LayersModel, images: Numbers): Float32Array {
  return runModelOn(model, [images])[0]!;
}

/** All outputs, channels first. */
export function runModelOn(model: LayersModel, inputs: readonly Numbers[]): Float32Array[] {
  return tf.tidy(() => {
    const outputs = model.predictOnBatch(inputs.map(({ data, shape }) => tf.tensor(data, shape)));
    return [outputs].flat().map((output) => channelsFirst(output).dataSync() as Float32Array);
  });
}

function channelsFirst(x: tf.Tensor): tf.Tensor {
  if (x.rank < 3) return x;
  return tf.transpose(x, [0, x.rank - 1, ...Array.from({ length: x.rank - 2 }, (_, i) => i + 1)]);
}

/** Fails with the first number that differs by more than 1e-4 (1 + |x|). */
export function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  const wrong = expected.findIndex((x, i) => !(Math.abs(actual[i]! - x) <= 1e-4 * (1 + Math.abs(x))));
  expect(wrong, `number ${wrong}: got ${actual[wrong]}, expected ${expected[wrong]}`).toBe(-1);
}

/** Fails unless every output of the file is within 1e-4 (1 + |x|) of the model's, x, at each of the batch sizes. */
export async function expectSameAnswers(
  model: LayersModel,
  bytes: Uint8Array,
  { seed = 7, batches = [1, 3, 64] }: { seed?: number; batches?: readonly number[] } = {},
): Promise<void> {
  const most = Math.max(...batches);
  const first = ({ data, shape }: Numbers, count: number) => ({
    data: data.subarray(0, (data.length / most) * count),
    shape: shape.with(0, count),
  });
  const inputs = randomInputs(model, most, seed);
  // Images do not see each other, so that the answers to some are the first answers to all.
  const expected = runModelOn(model, inputs);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  try {
    for (const count of batches) {
      const feeds = Object.fromEntries(
        session.inputNames.map((name, i) => [name, tensorOf(first(inputs[i]!, count))] as const),
      );
      const outputs = await session.run(feeds);
      for (const [i, name] of session.outputNames.entries()) {
        const { data, dims } = outputs[name]!;
        expect(dims[0]).toBe(count);
        expectClose(data as Float32Array, expected[i]!.subarray(0, (expected[i]!.length / most) * count));
      }
    }
  } finally {
    await session.release();
  }
}

/**
 * Fails unless every value has the type and shape that onnxruntime computes for it, at a batch of 2 where the file leaves that open.
 *
 * @returns how many sizes could not be inferred.
 */
export async function expectInferredAsComputed(bytes: Uint8Array): Promise<number> {
  const session = await InferenceSession.create(showEveryValue(bytes), {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
  });
  const values = checkOnnx(bytes);
  const sized = (dims: readonly Dim[]) => dims.map((dim) => (dim === 'batch' ? 2 : dim));
  const [name] = session.inputNames;
  const dims = sized(values.get(name!)!.dims!) as number[];
  const input = new Tensor('float32', new Float32Array(dims.reduce((a, b) => a * b, 1)), dims);
  const results = await session.run({ [name!]: input });
  await session.release();
  expect(Object.keys(results).length).toBeGreaterThan(10);
  let unknown = 0;
  for (const [value, { type, dims }] of Object.entries(results)) {
    const inferred = values.get(value)!;
    const sizes = sized(inferred.dims ?? dims.map(() => undefined));
    unknown += sizes.filter((size) => size === undefined).length;
    const filled = sizes.map((size, axis) => size ?? dims[axis]);
    expect({ type: inferred.type, dims: filled }, value).toEqual({ type, dims: [...dims] });
  }
  return unknown;
}

export interface Structure {
  readonly ops: string[];
  readonly nodeNames: string[];
  readonly initializers: Map<string, number[]>;
}

/** Reads a written file and fails unless it is a well-formed graph: names unique, each value defined before its use. */
export function structureOf(bytes: Uint8Array): Structure {
  const { node, initializer, input, output } = decodeModel(bytes).graph!;
  const initializers = new Map(
    initializer!.map(({ name, dims }) => [name!, dims!.map((size) => Number(String(size)))]),
  );
  const defined = new Set([...input!.map(({ name }) => name!), ...initializers.keys()]);
  expect(defined.size).toBe(input!.length + initializer!.length);
  const used = new Set<string>();
  for (const { name, input: reads, output: writes } of node!) {
    for (const value of reads!.filter((value) => value !== '')) {
      expect(defined.has(value), `'${value}' is read by '${name}' before it is defined`).toBe(true);
      used.add(value);
    }
    for (const value of writes!) {
      expect(defined.has(value), `'${value}' is defined twice`).toBe(false);
      defined.add(value);
    }
  }
  const nodeNames = node!.map(({ name }) => name!);
  expect(new Set(nodeNames).size).toBe(nodeNames.length);
  for (const { name } of output!) expect(defined.has(name!)).toBe(true);
  for (const name of initializers.keys()) expect(used.has(name), `constant '${name}' is never read`).toBe(true);
  return { ops: node!.map(({ opType }) => opType!), nodeNames, initializers };
}
