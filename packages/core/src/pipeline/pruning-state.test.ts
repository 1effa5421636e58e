import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import { readWeights } from '../training/named-values.ts';
import { train } from '../training/train.ts';
import { classAwarePruning } from './class-aware-pruning.ts';
import type { PruningEvent, PruningResult } from './pruning-events.ts';
import type { PruningOptions } from './pruning-options.ts';
import type { PruningState } from './pruning-state.ts';

const SOURCES = {
  training: stripedImages({ perClass: 16 }),
  scoring: stripedImages({ perClass: 5, batchSize: 15 }),
  validation: stripedImages({ perClass: 10, batchSize: 30, seed: 2 }),
};
const TUNING = { epochs: 1, schedule: { kind: 'constant', rate: 0.03 } } as const;
const TRAINING = { epochs: 8, schedule: { kind: 'constant', rate: 0.05 } } as const;
const WRECKING = { epochs: 1, schedule: { kind: 'constant', rate: 3 } } as const;
const OPTIONS: PruningOptions = {
  criterion: { kind: 'relative', rho: 0.5 },
  selection: { strategy: 'percentage', maxFraction: 0.2 },
  fineTune: TUNING,
  tolerance: 1,
  maxIterations: 2,
};

const CASES: Readonly<Record<string, Partial<PruningOptions>>> = {
  'a limit and a last tuning': { finalTune: TUNING },
  'all that keeps accuracy': {
    recalibrate: { batches: 2 },
    distillation: {},
    keepMomentum: true,
    rewind: { schedule: { kind: 'one-cycle', peak: 0.1 }, epochs: 4 },
    finalTune: TUNING,
  },
  'a target': { target: { kind: 'macs', removed: 0.3 }, finalTune: TUNING, maxIterations: 5 },
  'smaller steps after a violated guard': { fineTune: WRECKING, tolerance: 0, smallerSteps: 1 },
  'coupled filters of a residual network': { graph: { coupled: 'together' } },
  'nothing to remove': { selection: { strategy: 'percentage', maxFraction: 0 }, finalTune: TUNING },
};

async function prune(
  model: LayersModel,
  options: Partial<PruningOptions>,
): Promise<{ events: PruningEvent[]; result: PruningResult }> {
  const events: PruningEvent[] = [];
  for await (const event of classAwarePruning(model, SOURCES, { ...OPTIONS, ...options })) events.push(event);
  const last = events.at(-1)!;
  if (last.type !== 'finished') throw new Error(`The last event is '${last.type}'.`);
  return { events, result: last.result };
}

/** Without networks, and without what the clock says. */
const story = (events: readonly PruningEvent[]) =>
  events.map((event) => {
    if (event.type === 'finished') return { ...event, result: { ...event.result, model: 0 } };
    if (event.type !== 'training') return { ...event, model: 0 };
    return { ...event, event: { ...event.event, milliseconds: 0, teacherMilliseconds: 0, imagesPerSecond: 0 } };
  });

eachEngine(() => {
  describe('a pruning loop that is taken up again', () => {
    it.each(Object.entries(CASES))(
      'gives the same network and events, bit for bit, from every one of its states: %s',
      async (_, options) => {
        const model = options.graph ? smallResNet() : smallVgg();
        for await (const _ of train(model, SOURCES.training, TRAINING));
        const states: PruningState[] = [];
        const whole = await prune(model, { ...options, checkpoint: (capture) => void states.push(capture()) });
        const unpruned = readWeights(model);
        const tensors = tf.memory().numTensors;
        const hasRolledBack = whole.events.some(({ type }) => type === 'rolled-back');
        expect(hasRolledBack).toBe(options.smallerSteps === 1);
        expect(states.at(-1)!.ending).toMatchObject({ reason: whole.result.reason, finished: true });
        for (const state of states) {
          const resume: PruningState = structuredClone(state);
          const { events, result } = await prune(model, { ...options, resume });
          expect(readWeights(result.model)).toEqual(readWeights(whole.result.model));
          expect({ ...result, model: 0 }).toEqual({ ...whole.result, model: 0 });
          expect(events[0]).toMatchObject({ type: 'resumed', evaluation: state.baseline.evaluation });
          expect(story(events.slice(1))).toEqual(story(whole.events).slice(whole.events.length - events.length + 1));
          if (result.model !== model) result.model.dispose();
        }
        expect(readWeights(model)).toEqual(unpruned);
        expect(tf.memory().numTensors).toBe(tensors);
      },
    );

    it('does not measure the unpruned network again', async () => {
      const model = smallVgg();
      const measured: LayersModel[] = [];
      const measure = async (networks: readonly LayersModel[]) => networks.map((network) => measured.push(network));
      const options = { target: { kind: 'latency', removed: 0, measure }, finalTune: TUNING } as const;
      let state: PruningState | undefined;
      const checkpoint: PruningOptions['checkpoint'] = (capture) => {
        state = capture();
      };
      const { result } = await prune(model, { ...options, checkpoint });
      expect(measured).toEqual([model]);
      expect((await prune(model, { ...options, resume: state })).result).toEqual(result);
      expect(measured).toHaveLength(1);
    });

    it('refuses the state of another network', async () => {
      const model = smallVgg();
      const states: PruningState[] = [];
      await prune(model, { checkpoint: (capture) => void states.push(capture()) });
      const last = states.at(-1)!;
      const foreign = { ...last, best: { ...last.best, plans: [] } };
      const other = { ...last, best: { ...last.best, plans: [{ version: 1, remove: { elsewhere: [0] } }] } } as const;
      const tensors = tf.memory().numTensors;
      await expect(prune(model, { resume: other })).rejects.toThrow(/elsewhere/);
      expect((await prune(model, { resume: foreign })).result.model).toBe(model);
      expect(tf.memory().numTensors).toBe(tensors);
    });
  });
});
