import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import type { BatchSource } from '../data.ts';
import { softmaxCrossEntropy } from '../kernels/softmax-cross-entropy.ts';
import { PLAIN_OBJECTIVE } from '../objective/objective.ts';
import { evaluate } from './evaluate.ts';
import { type EpochEvent, train } from './train.ts';

const IMAGES = 2;
const SIZE = 3;
/** Each pixel's class is where its largest channel is. */
const labels = [0, 1, 2, 2, 1, 0, 0, 0, 1, 1, 1, 0, 2, 2, 0, 1, 2, 0];

const source: BatchSource = {
  size: IMAGES,
  batchSize: IMAGES,
  classNames: ['red', 'green', 'blue'],
  async *batches() {
    const images = Float32Array.from(labels.flatMap((label) => [0, 1, 2].map((channel) => Number(channel === label))));
    yield { images, labels: Int32Array.from(labels), shape: [IMAGES, SIZE, SIZE, 3] };
  },
};

/** Logits that are the pixel's channels times `factor`. */
function pixelModel(factor: number) {
  const input = image(SIZE, 3);
  const model = modelOf(input, chain(input, layers.conv2d({ filters: 3, kernelSize: 1 })));
  model.setWeights([tf.mul(tf.reshape(tf.eye(3), [1, 1, 3, 3]), factor), tf.zeros([3])]);
  return model;
}

eachEngine(() => {
  it('evaluates pixel by pixel', async () => {
    const right = await evaluate(pixelModel(1), source);
    expect(right).toMatchObject({
      images: 2,
      accuracy: 1,
      confusion: [
        [7, 0, 0],
        [0, 6, 0],
        [0, 0, 5],
      ],
    });
    expect(right.loss).toBeCloseTo(Math.log(Math.E + 2) - 1, 5);
    const wrong = await evaluate(pixelModel(-1), source);
    expect(wrong.accuracy).toBe(0);
    expect(wrong.loss).toBeCloseTo(Math.log(1 / Math.E + 2) + 1, 5);
  });

  it('trains on the mean over all pixels', async () => {
    const model = pixelModel(0);
    const options = {
      epochs: 1,
      schedule: { kind: 'constant', rate: 0.9 },
      objective: PLAIN_OBJECTIVE,
      weightDecay: 0,
    } as const;
    const events: EpochEvent[] = [];
    for await (const event of train(model, source, options)) if (event.type === 'epoch') events.push(event);
    expect(events[0]!.crossEntropy).toBeCloseTo(Math.log(3), 5);
    expect(events[0]!.accuracy).toBeCloseTo(7 / 18, 6);
    // All probabilities are 1/3: a red pixel pulls its own logit by 2/3 and pushes the others by 1/3, and 7 of 18 are red.
    const [kernel, bias] = model.getWeights().map((weight) => Array.from(weight.dataSync()));
    const expected = [7, 6, 5].flatMap((count, channel) =>
      [0, 1, 2].map((filter) => 0.9 * (count / 18) * (filter === channel ? 2 / 3 : -1 / 3)),
    );
    kernel!.forEach((value, i) => void expect(value).toBeCloseTo(expected[i]!, 5));
    expect(bias![0]).toBeCloseTo(0.9 * (7 / 18 - 1 / 3), 5);
  });

  it('wants a label for each pixel', () => {
    expect(() => softmaxCrossEntropy(tf.zeros([2, 3, 3, 5]), tf.tensor1d([1, 2], 'int32'))).toThrow(
      'Expected one label for each vector of 5 logits in [2,3,3,5], 18 in all, but got 2.',
    );
  });
});
