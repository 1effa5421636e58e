import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallVgg } from '../../test/support/networks.ts';
import { chain, fillWeights, image, modelOf } from '../../test/support/small-models.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import type { BatchSource } from '../data.ts';
import { readWeights } from './named-values.ts';
import { type TrainingEvent, type TrainingOptions, train } from './train.ts';
import type { TrainingState } from './training-state.ts';

const OPTIONS: TrainingOptions = { epochs: 3, schedule: { kind: 'one-cycle', peak: 0.05 } };
const SOURCE = stripedImages({ perClass: 12 });
const STEPS = 9;

/** Batch norm, whose statistics move, and dropout, which draws random numbers. */
function smallNetwork(): LayersModel {
  const input = image(8, 3);
  const model = modelOf(
    input,
    chain(
      input,
      layers.conv2d({ filters: 4, kernelSize: 3, name: 'conv' }),
      layers.batchNormalization({ name: 'norm' }),
      layers.reLU({ name: 'relu' }),
      layers.flatten({ name: 'flat' }),
      layers.dropout({ rate: 0.5, name: 'drop' }),
      layers.dense({ units: 3, name: 'logits' }),
    ),
  );
  fillWeights(model, 5);
  return model;
}

async function trainAll(model: LayersModel, options: Partial<TrainingOptions> = {}): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const event of train(model, SOURCE, { ...OPTIONS, ...options })) events.push(event);
  return events;
}

/** What does not depend on the clock. */
const story = (events: readonly TrainingEvent[]) =>
  events.map((event) => ({ ...event, milliseconds: 0, teacherMilliseconds: 0, imagesPerSecond: 0 }));

eachEngine(() => {
  describe('a training that is taken up again', () => {
    it('gives the same weights and events, bit for bit, from every one of its states', async () => {
      const whole = smallNetwork();
      const states: TrainingState[] = [];
      const moments: string[] = [];
      const events = await trainAll(whole, {
        checkpoint(capture, moment) {
          states.push(structuredClone(capture()));
          moments.push(moment);
        },
      });
      expect(moments).toEqual(['phase', ...Array.from({ length: STEPS }, () => 'step')]);
      for (const state of states) {
        const model = smallNetwork();
        tf.tidy(() => model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight))));
        const rest = await trainAll(model, { resume: state });
        expect(readWeights(model)).toEqual(readWeights(whole));
        expect(story(rest)).toEqual(story(events).slice(events.length - rest.length));
        expect(rest.filter(({ type }) => type === 'step')).toHaveLength(STEPS - state.step);
      }
    });

    it('knows the last good weights', async () => {
      const model = smallNetwork();
      const states: TrainingState[] = [];
      await trainAll(model, { epochs: 2, checkpoint: (capture) => void states.push(capture()) });
      // At the second step of the second epoch they are those that this epoch began with.
      expect(states[5]).toMatchObject({ epoch: 1, batch: 2 });
      expect(states[5]!.lastGood).toEqual(states[3]!.weights);
      const broken: BatchSource = {
        ...SOURCE,
        async *batches(epoch, firstBatch) {
          for await (const batch of SOURCE.batches(epoch, firstBatch)) {
            yield { ...batch, images: batch.images.fill(Number.NaN) };
          }
        },
      };
      const failing = (async () => {
        for await (const _ of train(model, broken, { ...OPTIONS, resume: states[5] }));
      })();
      await expect(failing).rejects.toThrow(/step 6 of 9 \(epoch 2\)/);
      expect(readWeights(model)).toEqual(states[3]!.weights);
    });

    it('refuses the state of another model and leaves the model as it was, without tensors behind', async () => {
      let state: TrainingState | undefined;
      await trainAll(smallNetwork(), {
        epochs: 1,
        checkpoint: (capture) => {
          state = capture();
        },
      });
      const model = smallVgg();
      const [weights, tensors] = [readWeights(model), tf.memory().numTensors];
      await expect(trainAll(model, { resume: state })).rejects.toThrow(/velocity of shape \[144,3\] for 'logits\/0'/);
      await expect(trainAll(model, { resume: { ...state!, velocities: [] } })).rejects.toThrow(
        /Expected values for the weights of .*number 1 is 'conv1\/kernel' \[3,3,3,6\], but found 'conv\/kernel' \[3,3,3,4\]: they were taken from another model/,
      );
      expect(readWeights(model)).toEqual(weights);
      expect(tf.memory().numTensors).toBe(tensors);
    });

    it('ends, disposing what it made, when keeping the state fails', async () => {
      const model = smallNetwork();
      const tensors = tf.memory().numTensors;
      const full = () => Promise.reject(new Error('disk full'));
      await expect(trainAll(model, { checkpoint: full })).rejects.toThrow('disk full');
      expect(tf.memory().numTensors).toBe(tensors);
    });
  });
});
