import '@tensorflow/tfjs-backend-cpu';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { countCost } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { countOnnxMacs, exportOnnx, importOnnx, measureLatency, nhwcToNchw, verify } from '../src/index.ts';
import { expectClose, expectInferredAsComputed, randomImages, runModel, runOnnx } from './oracle.ts';
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

    expect(await verify(model, bytes, { images: images.data, shape: images.shape })).toMatchObject({ passed: true });

    const pruned = await pruneByNorm(model);
    expect(countCost(pruned).macs).toBeLessThan(countCost(model).macs);
    expectClose(await runOnnx(await exportOnnx(pruned), images), runModel(pruned, images));
    for (const each of [model, pruned]) each.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('has the types and shapes that onnxruntime computes, whatever its operator set', async () => {
    await expectInferredAsComputed(await readFile(new URL(fixture, folder)));
  });
});

it.each(['flattened', 'mobilenet-v2', 'resnet18-bn', 'resnet20', 'resnet56', 'vgg16-bn'])(
  '%s: as many multiply-accumulates in the file as in the network',
  async (name) => {
    const bytes = await readFile(new URL(`${name}.onnx`, folder));
    const { model } = await importOnnx(bytes);
    expect((await countOnnxMacs(bytes)).macs).toBe(countCost(model).macs);
    model.dispose();
  },
);

it('a file of an old operator set and a fixed batch is counted, verified and timed as it is', async () => {
  // ResNet-18 in opset 11 for one image.
  const bytes = await readFile(new URL('resnet18.onnx', folder));
  const { model } = await importOnnx(bytes);
  expect((await countOnnxMacs(bytes)).macs).toBe(countCost(model).macs);
  const { data: images, shape } = randomImages(model, 3);
  expect(await verify(model, bytes, { images, shape })).toMatchObject({ passed: true, images: 3 });
  expect(await measureLatency(bytes, { runs: 1, warmupRuns: 0 })).toMatchObject({ batchSize: 1 });
  await expect(measureLatency(bytes, { batchSize: 8 })).rejects.toThrow(
    "Expected a file with an open batch, but 'images' is [1,3,64,64]. Measure it at batch size 1, or export it with a dynamic batch.",
  );
  model.dispose();
});
