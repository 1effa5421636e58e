// One case on both backends: the same shapes, dtypes, values and gradients, or an Error from both.
import '@tensorflow/tfjs-backend-cpu';
// tfjs-core's Node bundle leaves out the gradients; tfjs-layers' registers them.
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { trace } from '../src/index.ts';
import type { Case, Family } from './family.ts';
import { make, valuesOf } from './tensors.ts';

interface Plain {
  readonly role: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: ArrayLike<number>;
}

type Outcome = { readonly outputs: readonly Plain[] } | { readonly error: unknown };

/** Whether both backends computed. A call that tfjs-backend-cpu refuses proves nothing, but must not be refused with a crash. */
export type Agreement = 'agrees' | 'refused';

/** @throws Error that says where the two differ */
export async function compare(family: Family, drawn: Case): Promise<Agreement> {
  const expected = await outcome('cpu', () => outputs(family, drawn));
  const actual = await outcome('torch', () => outputs(family, drawn));
  if ('error' in expected || expected.outputs.some(({ shape }) => shape.some((length) => length < 0))) return 'refused';
  if ('error' in actual) throw new Error('torch refuses what cpu computes', { cause: actual.error });
  compareAll(actual.outputs, expected.outputs, family.tolerance);
  const traced = await outcome('torch', () => tracedOutputs(family, drawn));
  if ('outputs' in traced) compareAll(traced.outputs, actual.outputs, 0);
  else if (!isUntraceable(traced.error))
    throw new Error('torch computes what it cannot trace', { cause: traced.error });
  if (!family.hasGradient(drawn)) return 'agrees';

  const expectedGradients = await outcome('cpu', () => gradients(family, drawn));
  const actualGradients = await outcome('torch', () => gradients(family, drawn));
  if ('error' in expectedGradients) return 'agrees';
  if ('error' in actualGradients) {
    throw new Error('torch refuses a gradient that cpu computes', { cause: actualGradients.error });
  }
  // A gradient sums what a broadcast or a window spread out.
  compareAll(actualGradients.outputs, expectedGradients.outputs, 10 * family.tolerance);
  return 'agrees';
}

async function outcome(backend: 'cpu' | 'torch', run: () => Plain[]): Promise<Outcome> {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  tf.engine().startScope();
  let outputs: Plain[];
  try {
    outputs = run();
  } catch (error) {
    return { error };
  } finally {
    tf.engine().endScope();
  }
  // tfjs itself forgets tensors when a gradient throws, so only what succeeded is counted.
  const left = tf.memory().numTensors - before;
  return left === 0 ? { outputs } : { error: new Error(`${left} tensors are left`) };
}

function outputs(family: Family, { inputs, options }: Case): Plain[] {
  const results = [family.run(inputs.map(make), options)].flat();
  return results.map((result, i) => plain(`output ${i}`, result));
}

/** By a trace made with other values. */
function tracedOutputs(family: Family, { inputs, options }: Case): Plain[] {
  const examples = inputs.map((input) => make({ ...input, seed: input.seed + 1 }));
  const traced = trace((...tensors) => family.run(tensors, options), ...examples);
  try {
    return traced.run(...inputs.map(make)).map((result, i) => plain(`traced output ${i}`, result));
  } finally {
    traced.dispose();
  }
}

/** Ops that run through tfjs-backend-cpu, results that come from options alone, and functions that trace themselves. */
function isUntraceable(error: unknown): boolean {
  return /what JavaScript does|does not depend|at least one example|no trace inside/.test((error as Error).message);
}

function gradients(family: Family, { inputs, options }: Case): Plain[] {
  const first = (...tensors: tf.Tensor[]) => [family.run(tensors, options)].flat()[0]!;
  const tensors = inputs.map(make);
  const { shape } = first(...tensors);
  const above = tf.tensor(
    valuesOf({ shape, dtype: 'float32', fill: 'ordinary', seed: 7, layout: 'plain' }),
    shape,
    'float32',
  );
  return tf
    .grads(first)(tensors, above)
    .map((gradient, i) => plain(`gradient of input ${i}`, gradient));
}

function plain(role: string, tensor: tf.Tensor): Plain {
  return { role, shape: tensor.shape, dtype: tensor.dtype, values: tensor.dataSync() };
}

function compareAll(actual: readonly Plain[], expected: readonly Plain[], tolerance: number): void {
  if (actual.length !== expected.length) {
    throw new Error(`torch returns ${actual.length} tensors, cpu ${expected.length}`);
  }
  expected.forEach((wanted, i) => {
    const got = actual[i]!;
    if (got.shape.join() !== wanted.shape.join() || got.dtype !== wanted.dtype) {
      throw new Error(
        `${wanted.role}: torch gives ${got.dtype} [${got.shape}], but cpu ${wanted.dtype} [${wanted.shape}]`,
      );
    }
    if (got.values.length !== wanted.values.length) {
      throw new Error(`${wanted.role}: torch gives ${got.values.length} values, but cpu ${wanted.values.length}`);
    }
    for (let at = 0; at < wanted.values.length; at++) {
      if (!agree(got.values[at]!, wanted.values[at]!, tolerance)) {
        throw new Error(
          `${wanted.role} [${wanted.shape}], value ${at}: torch gives ${got.values[at]}, but cpu ${wanted.values[at]}`,
        );
      }
    }
  });
}

/** NaN and infinities exactly, all else within the tolerance, which is relative above 1. */
function agree(actual: number, expected: number, tolerance: number): boolean {
  if (Object.is(actual, expected) || actual === expected) return true;
  return Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected));
}
