import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import { countCost } from '../cost/count-cost.ts';
import type { BatchSource } from '../data.ts';
import { applyPlan } from '../pruning/apply-plan.ts';
import { evaluate } from '../training/evaluate.ts';
import { train } from '../training/train.ts';
import { classAwarePruning } from './class-aware-pruning.ts';
import type { PruningEvent } from './pruning-events.ts';
import type { PruningOptions } from './pruning-options.ts';

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
  smallerSteps: 0,
};

async function trained() {
  const model = smallVgg();
  for await (const _ of train(model, SOURCES.training, { epochs: 8, schedule: { kind: 'constant', rate: 0.05 } }));
  return model;
}

async function collect(events: AsyncIterable<PruningEvent>): Promise<PruningEvent[]> {
  const list: PruningEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

/** The same images with wrong labels in the passes for which that holds, counted from 1. */
function mislabelled(source: BatchSource, isWrong: (pass: number) => boolean): BatchSource {
  let pass = 0;
  return {
    ...source,
    async *batches(epoch) {
      const wrong = isWrong(++pass);
      for await (const batch of source.batches(epoch)) {
        yield wrong ? { ...batch, labels: batch.labels.map((label) => (label + 1) % 3) } : batch;
      }
    },
  };
}

async function prune(model: LayersModel, options: Partial<PruningOptions>, sources = SOURCES) {
  const events: PruningEvent[] = [];
  for await (const event of classAwarePruning(model, sources, { ...OPTIONS, ...options })) events.push(event);
  const last = events.at(-1)!;
  if (last.type !== 'finished') throw new Error(`The last event is '${last.type}'.`);
  return { events, result: last.result };
}

eachEngine(() => {
  describe('classAwarePruning', () => {
    it('prunes until the target is reached, and reports how', async () => {
      const model = await trained();
      const dense = countCost(model);
      const { events, result } = await prune(model, { target: { kind: 'macs', removed: 0.4 } });
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
      const { events, result } = await prune(
        model,
        {},
        { ...SOURCES, validation: mislabelled(SOURCES.validation, (pass) => pass > 1) },
      );
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

    it('goes back to the last good network when a guard is violated, and takes smaller steps from there', async () => {
      const model = await trained();
      const before = tf.memory().numTensors;
      // Of the evaluations, the first is the unpruned network's; the second and the fourth find nothing right.
      const validation = mislabelled(SOURCES.validation, (pass) => pass === 2 || pass === 4);
      const events: PruningEvent[] = [];
      const options = { ...OPTIONS, selection: { ...OPTIONS.selection, maxFraction: 0.4 }, smallerSteps: 1 };
      for await (const event of classAwarePruning(model, { ...SOURCES, validation }, options)) events.push(event);
      expect(events.map(({ type }) => type).filter((type) => type !== 'training')).toEqual([
        ...['baseline', 'scored', 'pruned', 'evaluated', 'rolled-back', 'pruned', 'evaluated'],
        ...['scored', 'pruned', 'evaluated', 'finished'],
      ]);
      const [first, second, third] = events.flatMap((event) => (event.type === 'pruned' ? [event] : []));
      expect([first, second, third].map((event) => event!.iteration)).toEqual([1, 1, 2]);
      const [all, half] = [first!.selection.removed, second!.selection.removed];
      expect(all.length).toBe(4);
      expect(half).toEqual(all.slice(0, 2));
      expect(third!.selection.removed.length).toBe(2);
      const back = events.find((event) => event.type === 'rolled-back')!;
      expect(back).toMatchObject({
        iteration: 1,
        maxFilters: 2,
        cost: countCost(model),
        violation: { guard: 'tolerance' },
      });
      const last = events.at(-1)!;
      if (last.type !== 'finished') throw new Error(`The last event is '${last.type}'.`);
      expect(last.result).toMatchObject({
        reason: 'tolerance exceeded',
        violation: { guard: 'tolerance' },
        plans: [second!.plan],
        cost: second!.cost,
      });
      last.result.model.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it('watches every single class', async () => {
      const model = await trained();
      const wrong = { ...SOURCES, validation: mislabelled(SOURCES.validation, (pass) => pass > 1) };
      const { result, events } = await prune(model, { tolerance: 1, classTolerance: 0.2 }, wrong);
      expect(result).toMatchObject({ reason: 'class tolerance exceeded', violation: { guard: 'classTolerance' } });
      expect(events.find((event) => event.type === 'evaluated')).toMatchObject({ withinTolerance: false });
      expect(result.violation!.className).toMatch(/^class \d$/);
      // What is below the floor to begin with needs no pruning to be found out.
      const low = await prune(
        model,
        { classFloor: 0.5 },
        { ...SOURCES, validation: mislabelled(SOURCES.validation, () => true) },
      );
      expect(low.result).toMatchObject({ reason: 'class below its floor', plans: [], violation: { atLeast: 0.5 } });
      expect(low.events.map(({ type }) => type)).toEqual(['baseline', 'finished']);
    });

    it('tries two smaller steps unless told otherwise', async () => {
      const wrong = { ...SOURCES, validation: mislabelled(SOURCES.validation, (pass) => pass > 1) };
      const selection = { ...OPTIONS.selection, maxFraction: 0.8 };
      const { smallerSteps: _, ...options } = { ...OPTIONS, selection };
      const fineTune = { ...options.fineTune, epochs: 1 };
      const sizes: number[] = [];
      for await (const event of classAwarePruning(await trained(), wrong, { ...options, fineTune })) {
        if (event.type === 'pruned') sizes.push(event.selection.removed.length);
      }
      expect(sizes).toEqual([8, 4, 2]);
    });

    it.each<[Record<string, unknown>, string]>([
      [{ tolerance: undefined }, 'tolerance must lie between 0 and 1, but is undefined'],
      [{ tolerance: Number.NaN }, 'tolerance must lie between 0 and 1, but is NaN'],
      [{ classFloor: 60 }, 'classFloor must lie between 0 and 1, but is 60'],
      [{ classTolerance: -0.1 }, 'classTolerance must lie between 0 and 1'],
      [{ smallerSteps: -1 }, 'smallerSteps must be a whole number of at least 0, but is -1'],
      [{ maxIterations: 1.5 }, 'maxIterations must be a whole number of at least 1, but is 1.5'],
      [{ target: { kind: 'size', removed: 0.5 } }, "kind must be one of 'macs', 'params', 'latency', but is 'size'"],
      [{ target: { kind: 'macs', removed: 50 } }, "'removed' must lie between 0 and 1, but is 50"],
      [{ criterion: { kind: 'magic' } }, "The criterion's kind must be one of 'reference'"],
      [{ ranking: { combine: 'min' } }, "combine must be one of 'max', 'mean', 'sum', but is 'min'"],
      [{ ranking: { normalise: 'max' } }, "normalise must be one of 'layer mean', 'none', but is 'max'"],
      [{ selection: { strategy: 'most' } }, "strategy must be one of 'threshold', 'percentage', 'both'"],
      [{ selection: { strategy: 'percentage', scope: 'group' } }, "scope must be one of 'global', 'layer'"],
      [{ graph: { kinds: ['pool'] } }, "kinds must be one of 'conv', 'dense', 'attention', but is 'pool'"],
      [{ graph: { coupled: 'apart' } }, "coupled must be one of 'stay', 'together', but is 'apart'"],
    ])('refuses %j', async (options, message) => {
      await expect(prune(smallVgg(), options)).rejects.toThrow(message);
    });

    it('aims at parameters and at measured times, and sees a target that is reached already', async () => {
      const model = await trained();
      const cost = countCost(model);
      const options = { tolerance: 1, fineTune: { ...OPTIONS.fineTune, epochs: 1 } };
      const params = await prune(model, { ...options, target: { kind: 'params', atMost: 0.8 * cost.parameters } });
      expect(params.result.reason).toBe('target reached');
      expect(params.result.cost.parameters).toBeLessThanOrEqual(0.8 * cost.parameters);
      const measure = async (networks: readonly LayersModel[]) =>
        networks.map((network) => countCost(network).macs / 1e6);
      const timed = await prune(model, { ...options, target: { kind: 'latency', removed: 0.3, measure } });
      const { target, cost: reached } = timed.result;
      expect(target).toMatchObject({ kind: 'latency', goal: 0.7 * (cost.macs / 1e6) });
      expect(target!.value).toBeCloseTo(reached.macs / 1e6, 10);
      const nothing = await prune(model, { target: { kind: 'macs', atMost: cost.macs } });
      expect(nothing.result).toMatchObject({ reason: 'target reached', plans: [] });
    });

    it('takes a criterion without classes, which does not look at the scoring images', async () => {
      const model = await trained();
      const scoring: BatchSource = {
        ...SOURCES.scoring,
        batches: () => {
          throw new Error('The scoring images were read.');
        },
      };
      const options = { ...OPTIONS, criterion: { kind: 'l2-norm' }, tolerance: 1, maxIterations: 1 } as const;
      const run = (selection: PruningOptions['selection']) =>
        collect(classAwarePruning(model, { ...SOURCES, scoring }, { ...options, selection }));
      const last = (await run(OPTIONS.selection)).at(-1)!;
      expect(last).toMatchObject({ type: 'finished', result: { reason: 'iteration limit' } });
      await expect(run({ strategy: 'both' })).rejects.toThrow("'both' needs a threshold, but it is undefined");
    });

    it('leaves multiples of a number, and never gets stuck over it', async () => {
      const model = await trained();
      const selection = { strategy: 'percentage', maxFraction: 0.2, maxLayerFraction: 0.4, roundTo: 2 } as const;
      const { result } = await prune(model, { selection, tolerance: 1, target: { kind: 'macs', removed: 0.9 } });
      const widths = ['conv1', 'conv2'].map((name) => result.model.getLayer(name).outputShape[3]);
      expect(result.reason).toBe('nothing left to remove');
      expect(widths).toEqual([2, 2]);
    });

    it('prunes filters that are coupled by additions, all together', async () => {
      const model = smallResNet();
      const graph = { coupled: 'together', ignore: ['block2_conv1'] } as const;
      const { result, events } = await prune(model, {
        graph,
        tolerance: 1,
        maxIterations: 2,
        selection: { strategy: 'percentage', maxFraction: 0.5 },
      });
      const width = (name: string) => result.model.getLayer(name).outputShape[3];
      expect(width('stem')).toBe(width('block1_conv2'));
      expect(width('stem')).toBeLessThan(4);
      expect(width('block2_conv1')).toBe(8);
      const scored = events.find((event) => event.type === 'scored')!;
      expect(scored.scores.map(({ layer }) => layer)).toContain('block2_conv1');
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
