import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect, it } from 'vitest';
import { smallVgg } from '../../test/support/networks.ts';
import { countCost } from '../cost/count-cost.ts';
import { readGraph } from '../graph/channel-graph.ts';
import { applyPlan } from '../pruning/apply-plan.ts';
import { createPlan } from '../pruning/pruning-plan.ts';
import { selectFilters } from '../pruning/select-filters.ts';
import { pruneUpTo } from './prune-up-to.ts';

const model = smallVgg();
const graph = readGraph(model);
const dense = countCost(model).macs;
// Every second filter of a layer, the layers in turn.
const rankings = graph.groups.map(({ layer, filters }) => ({
  layer,
  scores: Array.from({ length: filters }, (_, filter) => (filter % 2 ? filter : 100 + filter)),
}));
const selection = selectFilters(rankings, { strategy: 'threshold', threshold: 100 });

it.each([0.05, 0.2, 0.4])('takes no more filters than a target of %d asks for', async (target) => {
  const before = tf.memory().numTensors;
  const isEnough = ({ macs }: { macs: number }) => macs <= (1 - target) * dense;
  const { selection: taken, plan, model: pruned, cost } = await pruneUpTo(model, selection, { graph, isEnough });
  const filters = taken.removed.length;
  expect(filters).toBeGreaterThan(0);
  expect(filters).toBeLessThan(selection.removed.length);
  expect(taken.removed).toEqual(selection.removed.slice(0, filters));
  expect(countCost(pruned)).toEqual(cost);
  expect(isEnough(cost)).toBe(true);
  expect(plan).toEqual(createPlan(taken.removed));
  if (filters > 1) {
    const oneFewer = await applyPlan(model, createPlan(taken.removed.slice(0, -1)));
    expect(isEnough(countCost(oneFewer))).toBe(false);
    oneFewer.dispose();
  }
  pruned.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

it('takes all where that is not enough', async () => {
  const { selection: taken, model: pruned } = await pruneUpTo(model, selection, { graph, isEnough: () => false });
  expect(taken).toEqual(selection);
  pruned.dispose();
});
