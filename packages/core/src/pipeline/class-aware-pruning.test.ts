import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallVgg } from '../../test/support/networks.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import { countCost } from '../cost/count-cost.ts';
import { applyPlan } from '../pruning/apply-plan.ts';
import { evaluate } from '../training/evaluate.ts';
import { train } from '../training/train.ts';
import { classAwarePruning, type PruningEvent, type PruningOptions } from './class-aware-pruning.ts';

const SOURCES = {
  training: stripedImages({ perClass: 16 }),
  scoring: stripedImages({ perClass: 5, batchSize: 15 }),
  validation: stripedImages({ perClass: 10, batchSize: 30, seed: 2 }),
};
const OPTIONS: PruningOptions = {
  criterion: { kind: 'relative', rho: 0.5 },
  selection: { strategy: 'percentage', maxFraction: 0.2 },
  fineTune: { epochs: 2, schedule: { kind: 'constant', rate: 0.05 } },
  tolerance: 0.2,
};

async function trained() {
  const model = smallVgg();
  for await (const _ of train(model, SOURCES.training, { epochs: 8, schedule: { kind: 'constant', rate: 0.05 } }));
  return model;
}

async function prune(model: Awaited<ReturnType<typeof trained>>, options: Partial<PruningOptions>) {
  const events: PruningEvent[] = [];
  for await (const event of classAwarePruning(model, SOURCES, { ...OPTIONS, ...options })) events.push(event);
  const last = events.at(-1)!;
  if (last.type !== 'finished') throw new Error(`The last event is '${last.type}'.`);
  return { events, result: last.result };
}

eachEngine(() => {
  describe('classAwarePruning', () => {
    it('prunes until the target is reached, and reports how', async () => {
      const model = await trained();
      const dense = countCost(model);
      const { events, result } = await prune(model, { targetMacs: 0.4 });
      expect(result.reason).toBe('target reached');
      expect(result.cost.macs).toBeLessThanOrEqual(0.6 * dense.macs);
      expect(countCost(result.model)).toEqual(result.cost);
      expect(
        events
          .map(({ type }) => type)
          .filter((type) => type !== 'training')
          .slice(0, 4),
      ).toEqual(['baseline', 'scored', 'pruned', 'evaluated']);
      // Replaying the plans on a copy of the dense network gives one of the same shape.
      let replayed = model;
      for (const plan of result.plans) replayed = await applyPlan(replayed, plan);
      expect(countCost(replayed)).toEqual(result.cost);
      expect(countCost(model)).toEqual(dense);
    });

    it('keeps the last network within tolerance, and leaves no other tensors behind', async () => {
      const model = await trained();
      const before = tf.memory().numTensors;
      const { events, result } = await prune(model, { tolerance: -1 });
      expect(result.reason).toBe('tolerance exceeded');
      expect(result.model).toBe(model);
      expect(result.plans).toEqual([]);
      expect(events.filter(({ type }) => type === 'pruned').length).toBe(1);
      expect(tf.memory().numTensors).toBe(before);
    });

    it('ends when no filter is below the threshold', async () => {
      const model = await trained();
      const { result } = await prune(model, { selection: { strategy: 'threshold', threshold: 0 } });
      expect(result.reason).toBe('nothing below the threshold');
      expect(result.model).toBe(model);
    });

    it.each<[string, PruningOptions['selection']]>([
      ['the cap', { strategy: 'percentage', maxFraction: 0 }],
      ['the filters that every layer keeps', { strategy: 'threshold', threshold: 2, minFilters: 6 }],
    ])('ends when no removal is left by %s', async (_, selection) => {
      const { result } = await prune(await trained(), { selection });
      expect(result.reason).toBe('nothing left to remove');
      expect(result.plans).toEqual([]);
    });

    it('takes the final tuning back when it lowers the accuracy', async () => {
      const model = await trained();
      const before = tf.memory().numTensors;
      let passes = 0;
      const misleading = {
        ...SOURCES.training,
        async *batches(epoch: number) {
          const isFinal = ++passes > OPTIONS.fineTune.epochs;
          for await (const batch of SOURCES.training.batches(epoch)) {
            yield isFinal ? { ...batch, labels: batch.labels.map((label) => (label + 1) % 3) } : batch;
          }
        },
      };
      const finalTune = { epochs: 8, schedule: { kind: 'constant', rate: 0.05 } } as const;
      const events: PruningEvent[] = [];
      const options = { ...OPTIONS, maxIterations: 1, tolerance: 1, finalTune };
      for await (const event of classAwarePruning(model, { ...SOURCES, training: misleading }, options))
        events.push(event);
      expect(passes).toBe(10);
      const untuned = events.find((event) => event.type === 'evaluated')!.evaluation;
      expect(untuned.accuracy).toBeGreaterThan(0.5);
      const last = events.at(-1)!;
      if (last.type !== 'finished') throw new Error(`The last event is '${last.type}'.`);
      expect(last.result.evaluation).toEqual(untuned);
      expect(await evaluate(last.result.model, SOURCES.validation)).toEqual(untuned);
      last.result.model.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it('ends at the iteration limit, and tunes the result once more', async () => {
      const model = await trained();
      const before = tf.memory().numTensors;
      const finalTune = { epochs: 1, schedule: { kind: 'constant', rate: 0.01 } } as const;
      const { events, result } = await prune(model, { maxIterations: 2, tolerance: 1, finalTune });
      expect(result.reason).toBe('iteration limit');
      expect(result.plans.length).toBe(2);
      const phases = events.flatMap((event) =>
        event.type === 'training' && event.event.type === 'epoch' ? [event.phase] : [],
      );
      expect(phases).toEqual(['fine-tune', 'fine-tune', 'fine-tune', 'fine-tune', 'final-tune']);
      expect(await evaluate(result.model, SOURCES.validation)).toEqual(result.evaluation);
      result.model.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it('frees what it made when it is broken off', async () => {
      const model = await trained();
      const before = tf.memory().numTensors;
      for await (const event of classAwarePruning(model, SOURCES, OPTIONS)) if (event.type === 'pruned') break;
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});
