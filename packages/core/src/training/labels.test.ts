import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallVgg } from '../../test/support/networks.ts';
import { chain, fillWeights, image, modelOf } from '../../test/support/small-models.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import type { BatchSource } from '../data.ts';
import { scoreFilters } from '../scoring/score-filters.ts';
import { evaluate } from './evaluate.ts';
import { compileProgram } from './program.ts';
import { type TrainingOptions, train } from './train.ts';

const OPTIONS: TrainingOptions = { epochs: 1, schedule: { kind: 'constant', rate: 0.02 } };
const CRITERION = { kind: 'relative', rho: 0.5 } as const;

async function trained(model: LayersModel, source = stripedImages()): Promise<number> {
  let loss = Number.NaN;
  for await (const event of train(model, source, OPTIONS)) if (event.type === 'epoch') loss = event.loss;
  return loss;
}

type DenseArgs = Parameters<typeof layers.dense>[0];

function classifier(logits: Pick<DenseArgs, 'activation'>, ...behind: layers.Layer[]): LayersModel {
  const model = sequential({
    layers: [
      layers.conv2d({ name: 'conv', inputShape: [8, 8, 3], filters: 4, kernelSize: 3, activation: 'relu' }),
      layers.flatten(),
      layers.dense({ name: 'logits', units: 3, ...logits }),
      ...behind,
    ],
  });
  fillWeights(model, 4);
  return model;
}

eachEngine(() => {
  describe.each<[string, () => LayersModel]>([
    ['a softmax layer', () => classifier({}, layers.softmax())],
    ['an activation layer', () => classifier({}, layers.activation({ activation: 'softmax' }))],
    ['its dense layer', () => classifier({ activation: 'softmax' })],
  ])('a model with softmax at the end, by %s', (_, build) => {
    it('is evaluated, scored and trained by its logits', async () => {
      const [model, logits] = [build(), classifier({})];
      expect(await evaluate(model, stripedImages())).toEqual(await evaluate(logits, stripedImages()));
      const [actual, expected] = await Promise.all(
        [model, logits].map((network) => scoreFilters(network, stripedImages(), { criterion: CRITERION })),
      );
      expect(actual).toEqual(expected);
      expect(await trained(model)).toBe(await trained(logits));
      expect((await evaluate(model, stripedImages())).loss).toBe((await evaluate(logits, stripedImages())).loss);
    });
  });
});

it('says so where softmax is part of the last operation', () => {
  const input = image(4, 3);
  const pixels = layers.conv2dTranspose({ name: 'pixels', filters: 3, kernelSize: 1, activation: 'softmax' });
  expect(() => compileProgram(modelOf(input, chain(input, pixels)))).toThrow(
    "Expected 'pixels' (Conv2DTranspose) to give logits, but it applies softmax inside.",
  );
});

describe.each<[string, (model: LayersModel, source: BatchSource) => Promise<unknown>]>([
  ['train', trained],
  ['evaluate', evaluate],
  ['scoreFilters', (model, source) => scoreFilters(model, source, { criterion: CRITERION })],
  [
    'a criterion that is not class-aware',
    (model, source) => scoreFilters(model, source, { criterion: { kind: 'taylor' } }),
  ],
])('%s', (_, use) => {
  it('refuses a model with other outputs than the data has classes', async () => {
    await expect(use(smallVgg(2), stripedImages())).rejects.toThrow("of the data's 3 classes, but 'sequential");
  });

  it.each([3, -1])('refuses the label %d of three classes', async (label) => {
    const source: BatchSource = {
      ...stripedImages(),
      async *batches(epoch) {
        for await (const batch of stripedImages().batches(epoch)) {
          batch.labels[1] = label;
          yield batch;
        }
      },
    };
    await expect(use(smallVgg(), source)).rejects.toThrow(`but label 1 of a batch is ${label}.`);
  });
});
