import '@tensorflow/tfjs-backend-cpu';
import { readFile } from 'node:fs/promises';
import { type BatchSource, PLAIN_OBJECTIVE, scoreFilters, train } from '@secateur/core';
import { expect, it } from 'vitest';
import { exportOnnx, importOnnx } from '../src/index.ts';
import { expectClose, randomImages, randomNumbers, runModel, runOnnx } from './oracle.ts';

/** One image of each of the first classes, which differ in brightness. */
function images(count: number): BatchSource {
  const next = randomNumbers(5);
  const perImage = 32 * 32 * 3;
  const data = Float32Array.from({ length: count * perImage }, (_, i) => next() + (Math.floor(i / perImage) - 4.5) / 3);
  return {
    size: count,
    batchSize: count,
    classNames: [...'abcdefghij'],
    async *batches() {
      yield { images: data, labels: Int32Array.from({ length: count }, (_, i) => i), shape: [count, 32, 32, 3] };
    },
  };
}

const load = async (name: string) =>
  (await importOnnx(await readFile(new URL(`fixtures/${name}.onnx`, import.meta.url)))).model;

const schedule = { kind: 'constant', rate: 0.02 } as const;

it('an imported network can be scored by its classes, fine-tuned and exported', async () => {
  const model = await load('resnet20');
  const options = { criterion: { kind: 'relative', rho: 0.5 }, layers: ['blocks.8.conv1'] } as const;
  const [scores] = await scoreFilters(model, images(10), options);
  expect(Math.max(...scores!.numerators)).toBeGreaterThan(0);

  const losses: number[] = [];
  for await (const event of train(model, images(3), { epochs: 4, schedule, objective: PLAIN_OBJECTIVE })) {
    if (event.type === 'step') losses.push(event.crossEntropy);
  }
  expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);

  const seen = randomImages(model, 2);
  expectClose(await runOnnx(await exportOnnx(model), seen), runModel(model, seen));
  model.dispose();
});

it('training leaves a scale that became a convolution as it is', async () => {
  const model = await load('mobilenet-v3');
  const weightsOf = (name: string) =>
    model
      .getLayer(name)
      .getWeights()
      .map((weight) => weight.dataSync().slice());
  const [scale, convolution] = ['features/features.4/features.4.2_affine', 'features.4.0'] as const;
  const before = [weightsOf(scale), weightsOf(convolution)];
  expect(before[0]).toEqual([new Float32Array(96).fill(1 / 6), new Float32Array(96).fill(0.5)]);
  for await (const _ of train(model, images(2), { epochs: 1, schedule }));
  expect(weightsOf(scale)).toEqual(before[0]);
  expect(weightsOf(convolution)).not.toEqual(before[1]);
  model.dispose();
});
