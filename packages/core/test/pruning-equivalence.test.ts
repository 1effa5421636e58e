import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countCost } from '../src/cost/count-cost.ts';
import { ALL_REMOVABLE, type FilterRef, readGraph } from '../src/graph/channel-graph.ts';
import { applyPlan } from '../src/pruning/apply-plan.ts';
import { composePlans } from '../src/pruning/compose-plans.ts';
import { createPlan, type PruningPlan } from '../src/pruning/pruning-plan.ts';
import { ARCHITECTURES, SIZE } from './support/architectures.ts';
import { eachEngine } from './support/engines.ts';
import { largestDifference } from './support/numbers.ts';
import { buildNetwork, networkSpecs } from './support/random-networks.ts';
import { fillWeights } from './support/small-models.ts';
import { TracedNetwork } from './support/traced-network.ts';

/** Removes each unit with probability 1/2, but leaves every layer a filter. */
function randomPlan(model: LayersModel, coin: () => boolean): PruningPlan {
  const graph = readGraph(model, ALL_REMOVABLE);
  const left = new Map(graph.filters);
  const removed: FilterRef[] = [];
  for (const { filters } of graph.groups.flatMap(({ units }) => units)) {
    const lost = new Map<string, number>();
    for (const { layer } of filters) lost.set(layer, (lost.get(layer) ?? 0) + 1);
    if (!coin() || [...lost].some(([layer, count]) => left.get(layer)! <= count)) continue;
    for (const [layer, count] of lost) left.set(layer, left.get(layer)! - count);
    removed.push(filters[0]!);
  }
  return createPlan(removed, { graph });
}

function predict(model: LayersModel, x: tf.Tensor): Float32Array[] {
  return tf.tidy(() => [model.predict(x)].flat().map((y) => y.dataSync() as Float32Array));
}

/** `LayersModel.dispose` counts the places of a layer, and leaves those in several places behind. */
function disposeAll(networks: readonly LayersModel[]): void {
  for (const { weights } of networks) for (const weight of weights) weight.dispose();
}

/** Of the largest value, where that is above 1. */
function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  return largestDifference(actual, expected) / scale;
}

eachEngine(() => {
  describe('pruning', () => {
    it('gives a network that equals the one with masked channels, for any network and plan', async () => {
      let removals = 0;
      await fc.assert(
        fc.asyncProperty(networkSpecs(), fc.infiniteStream(fc.boolean()), async (spec, coins) => {
          const whole = new TracedNetwork();
          const model = buildNetwork(whole, spec);
          fillWeights(model, spec.seed);
          const plan = randomPlan(model, () => coins.next().value);
          const maskedNetwork = new TracedNetwork(plan);
          const masked = buildNetwork(maskedNetwork, spec);
          maskedNetwork.takeWeights(whole);
          const before = tf.memory().numTensors;
          const pruned = await applyPlan(model, plan);
          expect(tf.memory().numTensors).toBe(before + pruned.weights.length);

          const x = tf.randomUniform([2, spec.size, spec.size, 2], -1, 1, 'float32', spec.seed);
          const [[actual], [expected]] = [predict(pruned, x), predict(masked, x)];
          expect(relativeDifference(actual!, expected!)).toBeLessThanOrEqual(1e-5);
          const graph = readGraph(pruned, ALL_REMOVABLE);
          for (const [layer, count] of readGraph(model, ALL_REMOVABLE).filters) {
            expect(graph.filters.get(layer)).toBe(count - (plan.remove[layer]?.length ?? 0));
          }
          removals += Object.keys(plan.remove).length > 0 ? 1 : 0;

          x.dispose();
          disposeAll([model, masked, pruned]);
        }),
        { numRuns: 300, seed: 7 },
      );
      expect(removals).toBeGreaterThan(250);
    });

    it.each(Object.entries(ARCHITECTURES))('of a %s is as masking it', async (_, { build, groups, uncoupled }) => {
      const whole = new TracedNetwork();
      const model = build(whole);
      fillWeights(model, 1);
      const graph = readGraph(model, ALL_REMOVABLE);
      expect(Object.fromEntries(graph.groups.map(({ name, units }) => [name, units.length]))).toEqual(groups);
      const { kinds } = ALL_REMOVABLE;
      expect(readGraph(model, { kinds, coupled: 'stay' }).groups.map(({ name }) => name)).toEqual(uncoupled);

      const odd = graph.groups.flatMap(({ units }) => units.filter((_, index) => index % 2 === 1));
      const plan = createPlan(
        odd.map(({ filters }) => filters[0]!),
        { graph },
      );
      const maskedNetwork = new TracedNetwork(plan);
      const masked = build(maskedNetwork);
      maskedNetwork.takeWeights(whole);
      const pruned = await applyPlan(model, plan, { graph });
      const x = tf.randomUniform([2, SIZE, SIZE, 3], -1, 1, 'float32', 2);
      const [[actual], [expected], [before]] = [predict(pruned, x), predict(masked, x), predict(model, x)];
      expect(relativeDifference(actual!, expected!)).toBeLessThanOrEqual(1e-5);
      expect(relativeDifference(actual!, before!)).toBeGreaterThan(1e-2);
      expect(countCost(pruned).macs).toBeLessThan(0.7 * countCost(model).macs);
      x.dispose();
      disposeAll([model, masked, pruned]);
    });

    it('does at once what composed plans do one after the other', async () => {
      await fc.assert(
        fc.asyncProperty(networkSpecs(), fc.infiniteStream(fc.boolean()), async (spec, coins) => {
          const model = buildNetwork(new TracedNetwork(), spec);
          fillWeights(model, spec.seed);
          const networks = [model];
          const plans: PruningPlan[] = [];
          for (let step = 0; step < 3; step++) {
            plans.push(randomPlan(networks.at(-1)!, () => coins.next().value));
            networks.push(await applyPlan(networks.at(-1)!, plans.at(-1)!));
          }
          const atOnce = await applyPlan(model, composePlans(plans));
          const weights = (network: LayersModel) =>
            network.weights.map((weight) => [weight.originalName, weight.shape, weight.read().dataSync()]);
          expect(weights(atOnce)).toEqual(weights(networks.at(-1)!));
          disposeAll([...networks, atOnce]);
        }),
        { numRuns: 30, seed: 8 },
      );
    });
  });
});
