import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallVgg } from '../../test/support/networks.ts';
import { stripedImages } from '../../test/support/synthetic.ts';
import { readGraph } from '../graph/channel-graph.ts';
import { applyPlan } from '../pruning/apply-plan.ts';
import { OptimiserState, sliceOptimiserState } from './optimiser-state.ts';
import { type TrainingOptions, train } from './train.ts';

const OPTIONS: TrainingOptions = { epochs: 1, schedule: { kind: 'constant', rate: 0.05 } };
const PLAN = { version: 1, remove: { conv1: [1, 4], conv2: [0] } } as const;

async function trainAll(model: LayersModel, options: Partial<TrainingOptions> = {}): Promise<void> {
  for await (const _ of train(model, stripedImages(), { ...OPTIONS, ...options }));
}

const weightsOf = (model: LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()));

eachEngine(() => {
  describe('the optimiser state', () => {
    it('makes two trainings one', async () => {
      const [whole, parts, forgetful] = [smallVgg(), smallVgg(), smallVgg()];
      await trainAll(whole, { epochs: 2 });
      const optimiserState = new OptimiserState();
      await trainAll(parts, { optimiserState });
      await trainAll(parts, { optimiserState });
      await trainAll(forgetful);
      await trainAll(forgetful);
      expect(weightsOf(parts)).toEqual(weightsOf(whole));
      expect(weightsOf(forgetful)).not.toEqual(weightsOf(whole));
      optimiserState.dispose();
    });

    it("has a velocity for every trainable weight, under the layer's name, and is the caller's to dispose", async () => {
      const model = smallVgg();
      const before = tf.memory().numTensors;
      const optimiserState = new OptimiserState();
      await trainAll(model, { optimiserState });
      const expected = model.layers.flatMap((layer) =>
        layer.trainableWeights.map(({ shape }, index) => [`${layer.name}/${index}`, shape] as const),
      );
      const actual = [...optimiserState.velocities].map(([key, { shape }]) => [key, shape] as const);
      expect(new Map(actual)).toEqual(new Map(expected));
      expect(tf.memory().numTensors).toBe(before + expected.length);
      optimiserState.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it('is empty after a loss that is not finite', async () => {
      const model = smallVgg();
      const optimiserState = new OptimiserState();
      await trainAll(model, { optimiserState });
      const before = tf.memory().numTensors - optimiserState.velocities.size;
      const diverging = trainAll(model, { optimiserState, schedule: { kind: 'constant', rate: 1e30 } });
      await expect(diverging).rejects.toThrow('finite');
      expect(optimiserState.velocities.size).toBe(0);
      expect(tf.memory().numTensors).toBe(before);
    });
  });

  describe('sliceOptimiserState', () => {
    it('cuts each velocity as its weight, and leaves the given state as it was', async () => {
      const model = smallVgg();
      const state = new OptimiserState();
      await trainAll(model, { optimiserState: state });
      const values = (key: string) => state.velocities.get(key)!.arraySync() as never;
      const without = <T>(list: T[], ...gone: number[]) => list.filter((_, i) => !gone.includes(i));
      const before = tf.memory().numTensors;
      const sliced = sliceOptimiserState(state, readGraph(model), PLAN);
      expect(tf.memory().numTensors).toBe(before + state.velocities.size);
      expect([...sliced.velocities.keys()]).toEqual([...state.velocities.keys()]);
      const cut = (key: string) => sliced.velocities.get(key)!.arraySync();
      const kernel: number[][][][] = values('conv1/0');
      expect(cut('conv1/0')).toEqual(kernel.map((row) => row.map((tap) => tap.map((out) => without(out, 1, 4)))));
      expect(cut('bn1/0')).toEqual(without(values('bn1/0'), 1, 4));
      const next: number[][][][] = values('conv2/0');
      expect(cut('conv2/0')).toEqual(
        next.map((row) => row.map((tap) => without(tap, 1, 4).map((out) => without(out, 0)))),
      );
      expect(cut('conv2/1')).toEqual(without(values('conv2/1'), 0));
      // 2 x 2 positions of 5 channels each, of which the first goes.
      expect(cut('dense1/0')).toEqual(without(values('dense1/0'), 0, 5, 10, 15));
      expect(cut('logits/0')).toEqual(values('logits/0'));
      state.dispose();
      sliced.dispose();
    });

    it('lets fine-tuning go on with momentum', async () => {
      const model = smallVgg();
      const graph = readGraph(model);
      const state = new OptimiserState();
      await trainAll(model, { optimiserState: state });
      const sliced = sliceOptimiserState(state, graph, PLAN);
      const pruned = await applyPlan(model, PLAN, { graph });
      const [kernel, velocity] = [weightsOf(pruned)[0]!, Array.from(sliced.velocities.get('conv1/0')!.dataSync())];
      const twin = await applyPlan(model, PLAN, { graph });
      await trainAll(pruned, { optimiserState: sliced });
      await trainAll(twin);
      expect(kernel.length).toBe(velocity.length);
      // Two steps at rate 0.05 carry on 0.9 and 0.9 ** 2 of the velocity; what the gradients add is nearly the same.
      const moved = weightsOf(pruned)[0]!.map((value, i) => value - weightsOf(twin)[0]![i]!);
      const carried = velocity.map((value) => -0.05 * (0.9 + 0.81) * value);
      expect(cosine(moved, carried)).toBeGreaterThan(0.9);
      state.dispose();
      sliced.dispose();
    });

    it('is needed: a state of another shape or of other layers is refused', async () => {
      const model = smallVgg();
      const before = tf.memory().numTensors;
      const state = new OptimiserState();
      await trainAll(model, { optimiserState: state });
      const pruned = await applyPlan(model, PLAN);
      await expect(trainAll(pruned, { optimiserState: state })).rejects.toThrow(
        "a velocity of shape [20,7] for 'dense1/0', and the weight has [16,7]",
      );
      pruned.dispose();
      const foreign = new OptimiserState();
      foreign.velocities.set('elsewhere/0', tf.zeros([2]));
      await expect(trainAll(model, { optimiserState: foreign })).rejects.toThrow('the model trains no such weight');
      expect(() => sliceOptimiserState(foreign, readGraph(model), PLAN)).toThrow("a layer named 'elsewhere'");
      foreign.dispose();
      state.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
