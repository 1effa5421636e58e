import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import type { Batch } from '../data.ts';
import { PAPER_OBJECTIVE, PLAIN_OBJECTIVE } from '../objective/objective.ts';
import { evaluate } from './evaluate.ts';
import { NonFiniteLossError } from './step.ts';
import { type TrainingEvent, type TrainingOptions, train } from './train.ts';

const OPTIONS: TrainingOptions = { epochs: 4, schedule: { kind: 'constant', rate: 0.05 } };

async function trainAll(model: LayersModel, options = OPTIONS, source = stripedImages()): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of train(model, source, options)) events.push(event);
  return events;
}

const weightsOf = (model: LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()));

eachEngine((engine) => {
  describe('train', () => {
    it.each([
      ['VGG', smallVgg, 0.9],
      ['ResNet', smallResNet, 0.7],
    ])('teaches a small %s to tell the classes apart', async (_, build, accuracy) => {
      const model = build();
      const before = await evaluate(model, stripedImages());
      const events = await trainAll(model, { ...OPTIONS, epochs: 8 });
      const after = await evaluate(model, stripedImages());
      expect(after.loss).toBeLessThan(before.loss / 2);
      expect(after.accuracy).toBeGreaterThan(accuracy);
      const epochs = events.filter((event) => event.type === 'epoch');
      expect(epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      const steps = events.filter((event) => event.type === 'step');
      expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 16 }, (_, i) => i));
      for (const step of steps) {
        const total = step.crossEntropy + 1e-4 * step.l1 + 1e-2 * step.orthogonality;
        expect(step.total).toBeCloseTo(total, 10);
        expect(step.l1).toBeGreaterThan(0);
        expect(step.orthogonality).toBeGreaterThan(0);
      }
    });

    it('gives the same weights again, bit for bit', async () => {
      const [first, second] = [smallVgg(), smallVgg()];
      await trainAll(first);
      await trainAll(second);
      expect(weightsOf(second)).toEqual(weightsOf(first));
    });

    it('leaves no tensors behind, also when it is broken off', async () => {
      const model = smallVgg();
      const before = tf.memory().numTensors;
      await trainAll(model);
      expect(tf.memory().numTensors).toBe(before);
      for await (const event of train(model, stripedImages(), OPTIONS)) if (event.type === 'step') break;
      expect(tf.memory().numTensors).toBe(before);
    });

    it('moves the statistics of batch norm, with the unbiased variance', async () => {
      const model = smallVgg();
      const source = stripedImages({ perClass: 4, batchSize: 12 });
      const { images, shape } = (await source.batches(0)[Symbol.asyncIterator]().next()).value as Batch;
      const expected = tf.tidy(() => {
        const x = model.getLayer('conv1').apply(tf.tensor4d(images, [...shape])) as tf.Tensor;
        const { variance } = tf.moments(x, [0, 1, 2]);
        const count = x.size / x.shape[3]!;
        return Array.from(tf.add(0.9, tf.mul(variance, (0.1 * count) / (count - 1))).dataSync());
      });
      await trainAll(model, { ...OPTIONS, epochs: 1 }, source);
      const actual = model.getLayer('bn1').getWeights()[3]!.dataSync();
      expected.forEach((value, i) => {
        expect(actual[i]).toBeCloseTo(value, 5);
      });
    });

    it('stops at a loss that is not finite, says at which step, and goes back to where the epoch began', async () => {
      const model = smallVgg();
      const before = tf.memory().numTensors;
      const source = stripedImages();
      const broken = {
        ...source,
        async *batches(epoch: number) {
          let index = 0;
          for await (const batch of source.batches(epoch)) {
            if (epoch === 1 && index++ === 1) batch.images.fill(Number.NaN);
            yield batch;
          }
        },
      };
      const finished: TrainingEvent[] = [];
      let good: number[][] = [];
      const failing = (async () => {
        for await (const event of train(model, broken, OPTIONS)) {
          finished.push(event);
          if (event.type === 'epoch') good = weightsOf(model);
        }
      })();
      await expect(failing).rejects.toThrow(NonFiniteLossError);
      await expect(failing).rejects.toThrow('at step 4 of 8 (epoch 2)');
      expect(finished.filter(({ type }) => type === 'step').length).toBe(3);
      expect(weightsOf(model)).toEqual(good);
      expect((await evaluate(model, source)).loss).toBeLessThan(10);
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each([
      ['huge', 1e26, PAPER_OBJECTIVE],
      ['huge', 1e38, PLAIN_OBJECTIVE],
      ['not finite', 1e60, PLAIN_OBJECTIVE],
    ])(
      'goes back to the weights that it started with when an update has made them %s (rate %d)',
      async (_, rate, objective) => {
        const model = smallVgg();
        const [weights, { loss }] = [weightsOf(model), await evaluate(model, stripedImages())];
        const options: TrainingOptions = { epochs: 3, schedule: { kind: 'constant', rate }, objective };
        await expect(trainAll(model, options)).rejects.toThrow(NonFiniteLossError);
        expect(weightsOf(model)).toEqual(weights);
        expect((await evaluate(model, stripedImages())).loss).toBe(loss);
        expect(loss).toBeLessThan(10);
      },
    );

    it.each([
      ['huge', 1e20, 4, /Expected a finite loss, but it was (NaN|Infinity) at step 5 of 8 \(epoch 3\)/],
      ['not finite', 1e60, 4, 'Expected finite weights, but some were not after step 4 of 8 (epoch 2)'],
      ['not finite at the very end', 1e60, 2, 'Expected finite weights, but some were not after step 4 of 4 (epoch 2)'],
    ])('does not take weights for good that the last step of an epoch made %s', async (_, rate, epochs, message) => {
      const model = smallVgg();
      const tensors = tf.memory().numTensors;
      const schedule = { kind: 'constant' as const, rate: 0.05 };
      let good: number[][] = [];
      const failing = (async () => {
        for await (const event of train(model, stripedImages(), { epochs, schedule })) {
          if (event.type === 'epoch' && event.epoch === 0) good = weightsOf(model);
          if (event.type === 'step' && event.step === 2) schedule.rate = rate;
        }
      })();
      await expect(failing).rejects.toThrow(message);
      expect(weightsOf(model)).toEqual(good);
      expect((await evaluate(model, stripedImages())).loss).toBeLessThan(10);
      expect(tf.memory().numTensors).toBe(tensors);
    });

    it('stops when the regularisers alone are not finite, and takes back the step', async () => {
      const model = smallVgg();
      const weights = weightsOf(model);
      const objective = { ...PAPER_OBJECTIVE, orthogonality: 1e308 };
      await expect(trainAll(model, { ...OPTIONS, objective })).rejects.toThrow(
        'it was Infinity at step 1 of 8 (epoch 1)',
      );
      expect(weightsOf(model)).toEqual(weights);
    });

    it('refuses a number of epochs that is none', async () => {
      await expect(trainAll(smallVgg(), { ...OPTIONS, epochs: 0 })).rejects.toThrow('epochs');
    });

    it.runIf(engine === 'torch')('trains in bfloat16 to a similar loss', async () => {
      const [precise, coarse] = [smallVgg(), smallVgg()];
      await trainAll(precise, { ...OPTIONS, epochs: 6 });
      await trainAll(coarse, { ...OPTIONS, epochs: 6, precision: 'bfloat16' });
      expect(weightsOf(coarse)).not.toEqual(weightsOf(precise));
      const [a, b] = [await evaluate(precise, stripedImages()), await evaluate(coarse, stripedImages())];
      expect(Math.abs(a.loss - b.loss)).toBeLessThan(0.15);
    });
  });

  describe('evaluate', () => {
    it('counts by class, and agrees with its own confusion matrix', async () => {
      const model = smallVgg();
      const result = await evaluate(model, stripedImages({ perClass: 10, batchSize: 7 }));
      expect(result.images).toBe(30);
      expect(result.classes.map(({ images }) => images)).toEqual([10, 10, 10]);
      result.classes.forEach(({ correct }, label) => {
        expect(correct).toBe(result.confusion[label]![label]);
      });
      expect(result.accuracy).toBe(result.classes.reduce((sum, { correct }) => sum + correct, 0) / 30);
    });

    it('refuses a model with another number of classes', async () => {
      await expect(evaluate(smallVgg(4), stripedImages())).rejects.toThrow(
        "one logit for each of the data's 3 classes",
      );
    });
  });
});
