import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect, it } from 'vitest';
import { smallVgg } from '../../test/support/networks.ts';
import { countCost } from '../cost/count-cost.ts';
import { readGraph } from '../graph/channel-graph.ts';
import { applyPlan } from '../pruning/apply-plan.ts';
import { createPlan } from '../pruning/pruning-plan.ts';
import { selectFilters } from '../pruning/select-filters.ts';
import { atMostFilters, pruneUpTo } from './prune-up-to.ts';
import { createGauge, type Target } from './target.ts';

const model = smallVgg();
const graph = readGraph(model);
const cost = countCost(model);
// Every second filter of a layer, the layers in turn.
const rankings = graph.groups.map(({ name, units }) => ({
  layer: name,
  scores: Array.from({ length: units.length }, (_, filter) => (filter % 2 ? filter : 100 + filter)),
}));
const selection = selectFilters(rankings, { strategy: 'threshold', threshold: 100 });

it.each<[string, Target, (cost: { macs: number; parameters: number }) => boolean]>([
  ...[0.05, 0.2, 0.4].map((removed): [string, Target, (cost: { macs: number }) => boolean] => [
    `${removed} of the MACs`,
    { kind: 'macs', removed },
    ({ macs }) => macs <= (1 - removed) * cost.macs,
  ]),
  ['half of the parameters', { kind: 'params', atMost: 700 }, ({ parameters }) => parameters <= 700],
  [
    'a time that follows the MACs',
    {
      kind: 'latency',
      removed: 0.3,
      measure: async (models) => models.map((network) => countCost(network).macs / 1000),
    },
    ({ macs }) => macs <= 0.7 * cost.macs,
  ],
])('takes no more filters than a target of %s asks for', async (_, target, isEnough) => {
  const before = tf.memory().numTensors;
  const gauge = await createGauge(target, { model, cost });
  const { selection: taken, plan, model: pruned, ...found } = await pruneUpTo(model, selection, { graph, gauge });
  const filters = taken.removed.length;
  expect(filters).toBeGreaterThan(0);
  expect(filters).toBeLessThan(selection.removed.length);
  expect(taken.removed).toEqual(selection.removed.slice(0, filters));
  expect(countCost(pruned)).toEqual(found.cost);
  expect(isEnough(found.cost)).toBe(true);
  expect(found.target!.value).toBeLessThanOrEqual(found.target!.goal);
  expect(plan).toEqual(createPlan(taken.removed));
  if (filters > 1) {
    const oneFewer = await applyPlan(model, createPlan(taken.removed.slice(0, -1)));
    expect(isEnough(countCost(oneFewer))).toBe(false);
    oneFewer.dispose();
  }
  pruned.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

it('takes all without a target, and where the target is out of reach', async () => {
  const gauge = await createGauge({ kind: 'macs', atMost: 1 }, { model, cost });
  for (const chosen of [undefined, gauge]) {
    const { selection: taken, model: pruned } = await pruneUpTo(model, selection, { graph, gauge: chosen });
    expect(taken).toEqual(selection);
    pruned.dispose();
  }
});

it('stops only where nothing is torn apart', async () => {
  const blocks = selectFilters([{ layer: 'conv1', scores: [0, 1, 2, 3, 4, 5] }], {
    strategy: 'percentage',
    maxFraction: 0.7,
    roundTo: 2,
  });
  expect(blocks.stops).toEqual([2, 4]);
  const gauge = await createGauge({ kind: 'macs', removed: 0.01 }, { model, cost });
  const { selection: taken, model: pruned } = await pruneUpTo(model, blocks, { graph, gauge });
  expect(taken.removed.map(({ filter }) => filter)).toEqual([0, 1]);
  pruned.dispose();
  expect(atMostFilters(blocks, 3).removed.length).toBe(2);
  expect(atMostFilters(blocks, 1)).toEqual(taken);
  expect(atMostFilters(blocks, 100)).toEqual(blocks);
});

it('compares times with that of the unpruned network in the same measurement', async () => {
  const small = await applyPlan(model, createPlan([{ layer: 'conv1', filter: 0 }]));
  // The machine becomes three times as slow.
  let slowness = 1;
  const measure = async (models: readonly unknown[]) => models.map((network) => slowness * (network === model ? 8 : 4));
  const gauge = await createGauge({ kind: 'latency', removed: 0.4, measure }, { model, cost });
  slowness = 3;
  expect(await gauge.measure({ model: small, cost })).toEqual({ kind: 'latency', value: 4, goal: 0.6 * 8 });
  small.dispose();
});

it('refuses targets out of range, and frees the network that cannot be measured', async () => {
  const refuse = (target: Target) => expect(createGauge(target, { model, cost })).rejects;
  await refuse({ kind: 'macs', removed: 1.5 }).toThrow("'removed' must lie between 0 and 1, but is 1.5");
  await refuse({ kind: 'params', atMost: 0 }).toThrow("'atMost' must be greater than 0, but is 0");
  await refuse({ kind: 'latency', removed: 0.5, measure: async () => [Number.NaN] }).toThrow('but it gave NaN');
  await refuse({ kind: 'latency', removed: 0.5, measure: async () => [] }).toThrow(
    'each of 1 models, but it gave none',
  );
  const before = tf.memory().numTensors;
  for (const times of [
    [[4], [-1, 4]],
    [[4], [1, 4], [-1, 4]],
  ]) {
    const measure = async () => times.shift()!;
    const gauge = await createGauge({ kind: 'latency', removed: 0.5, measure }, { model, cost });
    await expect(pruneUpTo(model, selection, { graph, gauge })).rejects.toThrow('but it gave -1, 4');
    expect(tf.memory().numTensors).toBe(before);
  }
});
