import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect } from 'vitest';
import { decodeModel } from '../src/graph/decode.ts';
import { nhwcToNchw } from '../src/runtime/images.ts';

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

export function randomImages(model: LayersModel, count: number, seed = 7): { data: Float32Array; shape: number[] } {
  const shape = [count, ...(model.inputs[0]!.shape.slice(1) as number[])];
  return { data: Float32Array.from({ length: tf.util.sizeFromShape(shape) }, randomNumbers(seed)), shape };
}

export async function runOnnx(
  bytes: Uint8Array,
  { data, shape }: { data: Float32Array; shape: number[] },
): Promise<Float32Array> {
  const session = await InferenceSession.create(bytes);
  const [count, height, width, channels] = shape as [number, number, number, number];
  const input =
    shape.length === 4
      ? new Tensor('float32', nhwcToNchw(data, shape), [count, channels, height, width])
      : new Tensor('float32', data, shape);
  const [name] = session.outputNames;
  const output = (await session.run({ input }))[name!]!;
  await session.release();
  return output.data as Float32Array;
}

export function runModel(model: LayersModel, { data, shape }: { data: Float32Array; shape: number[] }): Float32Array {
  return tf.tidy(() => (model.predictOnBatch(tf.tensor(data, shape)) as tf.Tensor).dataSync() as Float32Array);
}

/** Fails with the first number that differs by more than 1e-4 (1 + |x|). */
export function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  const wrong = expected.findIndex((x, i) => !(Math.abs(actual[i]! - x) <= 1e-4 * (1 + Math.abs(x))));
  expect(wrong, `number ${wrong}: got ${actual[wrong]}, expected ${expected[wrong]}`).toBe(-1);
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
    for (const value of reads!) {
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
