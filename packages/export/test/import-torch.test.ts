import '@tensorflow/tfjs-backend-cpu';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { countCost } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { exportOnnx, importOnnx, nhwcToNchw } from '../src/index.ts';
import { expectClose, randomImages, runModel, runOnnx } from './oracle.ts';
import { pruneByNorm } from './prune-by-norm.ts';

const folder = new URL('fixtures/', import.meta.url);
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.onnx'));

/** onnxruntime's answers for images that are channels last, in a file that wants them channels first. */
async function runFile(
  bytes: Uint8Array,
  { data, shape }: { data: Float32Array; shape: number[] },
): Promise<Float32Array> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const [count, height, width, channels] = shape as [number, number, number, number];
  const images = nhwcToNchw(data, shape);
  const size = images.length / count;
  // One image at a time: some files fix the batch at 1.
  const rows: number[] = [];
  for (let image = 0; image < count; image++) {
    const one = new Tensor('float32', images.subarray(image * size, (image + 1) * size), [1, channels, height, width]);
    const answers = await session.run({ [session.inputNames[0]!]: one });
    rows.push(...(answers[session.outputNames[0]!]!.data as Float32Array));
  }
  await session.release();
  return Float32Array.from(rows);
}

describe.each(fixtures)('%s, as PyTorch wrote it', (fixture) => {
  it('gives what onnxruntime gives, as imported, pruned and exported again', async () => {
    const bytes = await readFile(new URL(fixture, folder));
    const before = tf.memory().numTensors;
    const { model } = await importOnnx(bytes);
    const images = randomImages(model, 3);
    expectClose(runModel(model, images), await runFile(bytes, images));
    expectClose(await runOnnx(await exportOnnx(model), images), runModel(model, images));

    const pruned = await pruneByNorm(model);
    expect(countCost(pruned).macs).toBeLessThan(countCost(model).macs);
    expectClose(await runOnnx(await exportOnnx(pruned), images), runModel(pruned, images));
    for (const each of [model, pruned]) each.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
