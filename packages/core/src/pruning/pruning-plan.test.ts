import '@tensorflow/tfjs-backend-cpu';
import { layers } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import { readGraph } from '../graph/channel-graph.ts';
import { validatePlan } from './fit-plan.ts';
import { createPlan } from './pruning-plan.ts';

const input = image(8, 3);
const graph = readGraph(
  modelOf(
    input,
    chain(
      input,
      layers.conv2d({ name: 'conv1', filters: 4, kernelSize: 3 }),
      layers.reLU({ name: 'relu' }),
      layers.conv2d({ name: 'conv2', filters: 4, kernelSize: 3 }),
    ),
  ),
);

describe('createPlan', () => {
  it('lists filters by layer, ascending, and survives JSON', () => {
    const plan = createPlan([
      { layer: 'conv1', filter: 10 },
      { layer: 'b', filter: 0 },
      { layer: 'conv1', filter: 9 },
    ]);
    expect(plan).toEqual({ version: 1, remove: { conv1: [9, 10], b: [0] } });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });
});

describe('validatePlan', () => {
  it('returns a plan that fits', () => {
    const plan = { version: 1, remove: { conv1: [3, 0] } };
    expect(validatePlan(plan, graph)).toBe(plan);
  });

  it.each<[unknown, string]>([
    [null, 'A pruning plan must be an object, but is null.'],
    [{ remove: {} }, 'must have version 1, but this one has undefined'],
    [{ version: 1, remove: [1] }, "The pruning plan's 'remove' must be an object, but is [1]."],
    [{ version: 1, remove: { conv1: 2 } }, "must list filter numbers for layer 'conv1', but has 2."],
    [
      { version: 1, remove: { conv9: [0] } },
      "names layer 'conv9', which the model does not have. Layers that can lose filters: conv1.",
    ],
    [
      { version: 1, remove: { conv2: [0] } },
      "which is frozen: 'conv2' is the model's output. Layers that can lose filters: conv1.",
    ],
    [{ version: 1, remove: { relu: [0] } }, "removes filters of 'relu', but a ReLU layer has none."],
    [{ version: 1, remove: { conv1: [4] } }, "removes filter 4 of layer 'conv1', whose filters are 0 to 3."],
    [{ version: 1, remove: { conv1: [-1] } }, "removes filter -1 of layer 'conv1'"],
    [{ version: 1, remove: { conv1: [0.5] } }, "removes filter 0.5 of layer 'conv1'"],
    [{ version: 1, remove: { conv1: ['1'] } }, 'removes filter "1" of layer \'conv1\''],
    [{ version: 1, remove: { conv1: [1, 1] } }, "removes filter 1 of layer 'conv1' twice."],
    [
      { version: 1, remove: { conv1: [0, 1, 2, 3] } },
      "removes all 4 filters of layer 'conv1'; at least one must stay.",
    ],
  ])('refuses %j', (plan, message) => {
    expect(() => validatePlan(plan, graph)).toThrow(message);
  });
});
