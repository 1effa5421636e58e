import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallVgg } from '../../test/support/networks.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import type { BatchSource } from '../data.ts';
import { learningRateAt } from '../training/schedule.ts';
import { type StepEvent, train } from '../training/train.ts';
import { classAwarePruning } from './class-aware-pruning.ts';
import type { PruningEvent } from './pruning-events.ts';
import type { PruningOptions } from './pruning-options.ts';

const SOURCES = {
  training: stripedImages({ perClass: 8 }),
  scoring: stripedImages({ perClass: 5, batchSize: 15 }),
  validation: stripedImages({ perClass: 10, batchSize: 30, seed: 2 }),
};
const SCHEDULE = { kind: 'one-cycle', peak: 0.1 } as const;
const TUNING = { epochs: 2, schedule: { kind: 'constant', rate: 0.03 } } as const;
const OPTIONS: PruningOptions = {
  criterion: { kind: 'relative', rho: 0.5 },
  selection: { strategy: 'percentage', maxFraction: 0.2 },
  fineTune: TUNING,
  finalTune: { ...TUNING, epochs: 3 },
  tolerance: 1,
  maxIterations: 2,
};

async function trained(): Promise<LayersModel> {
  const model = smallVgg();
  for await (const _ of train(model, SOURCES.training, { epochs: 10, schedule: SCHEDULE }));
  return model;
}

async function prune(model: LayersModel, options: Partial<PruningOptions>, training: BatchSource = SOURCES.training) {
  const events: PruningEvent[] = [];
  for await (const event of classAwarePruning(model, { ...SOURCES, training }, { ...OPTIONS, ...options })) {
    events.push(event);
  }
  const last = events.at(-1)!;
  if (last.type !== 'finished') throw new Error(`The last event is '${last.type}'.`);
  const steps = events.flatMap((event): StepEvent[] =>
    event.type === 'training' && event.event.type === 'step' ? [event.event] : [],
  );
  return { events, steps, model: last.result.model };
}

const weightsOf = (model: LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()));

eachEngine(() => {
  describe('keeping accuracy in the loop', () => {
    it('leaves no tensors behind with all of it, also when it is broken off', async () => {
      const model = await trained();
      const weights = weightsOf(model);
      const before = tf.memory().numTensors;
      const all = {
        recalibrate: { batches: 2 },
        distillation: {},
        keepMomentum: true,
        rewind: { schedule: SCHEDULE, epochs: 10 },
      };
      const { model: pruned } = await prune(model, all);
      pruned.dispose();
      expect(tf.memory().numTensors).toBe(before);
      for await (const event of classAwarePruning(model, SOURCES, { ...OPTIONS, ...all })) {
        if (event.type === 'training' && event.iteration === 2) break;
      }
      expect(tf.memory().numTensors).toBe(before);
      expect(weightsOf(model)).toEqual(weights);
    });

    it('recalibrates after each removal and each tuning', async () => {
      let passes = 0;
      const counted: BatchSource = {
        ...SOURCES.training,
        batches: (epoch) => {
          passes++;
          return SOURCES.training.batches(epoch);
        },
      };
      await prune(await trained(), { recalibrate: { batches: 1 } }, counted);
      // 2 removals; tunings of 2, 2 and 3 epochs.
      expect(passes).toBe(2 + 2 + 2 + 3 + 3);
    });

    it('has the unpruned network teach', async () => {
      const { steps } = await prune(await trained(), { distillation: { temperature: 2, weight: 0.5 } });
      expect(steps.length).toBe(2 * (2 + 2 + 3));
      for (const { crossEntropy, distillation, l1, orthogonality, total } of steps) {
        expect(distillation).toBeGreaterThan(0);
        expect(total).toBeCloseTo(0.5 * crossEntropy + 0.5 * distillation + 1e-4 * l1 + 1e-2 * orthogonality, 10);
      }
    });

    it('carries momentum from tuning to tuning', async () => {
      const model = await trained();
      const tuned = async (options: Partial<PruningOptions>) => weightsOf((await prune(model, options)).model);
      const first = { maxIterations: 1 };
      const { finalTune: _, ...withoutFinal } = OPTIONS;
      const onlyOne = async (keepMomentum: boolean) => {
        const events: PruningEvent[] = [];
        for await (const event of classAwarePruning(model, SOURCES, { ...withoutFinal, ...first, keepMomentum })) {
          events.push(event);
        }
        const last = events.at(-1)!;
        if (last.type !== 'finished') throw new Error(`The last event is '${last.type}'.`);
        return weightsOf(last.result.model);
      };
      // The first tuning has nothing to go on with; the second has.
      expect(await onlyOne(true)).toEqual(await onlyOne(false));
      expect(await tuned({ ...first, keepMomentum: true })).not.toEqual(await tuned(first));
      expect(await tuned({ ...first, keepMomentum: true })).toEqual(await tuned({ ...first, keepMomentum: true }));
    });

    it('goes back to the learning rates of the last epochs of the training', async () => {
      const { steps } = await prune(await trained(), { rewind: { schedule: SCHEDULE, epochs: 10 } });
      const original = Array.from({ length: 20 }, (_, step) => learningRateAt(SCHEDULE, step, 20));
      const [fine, final] = [original.slice(16), original.slice(14)];
      expect(steps.map(({ learningRate }) => learningRate)).toEqual([...fine, ...fine, ...final]);
    });
  });
});
