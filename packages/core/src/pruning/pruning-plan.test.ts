import '@tensorflow/tfjs-backend-cpu';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import { ALL_REMOVABLE, readGraph } from '../graph/channel-graph.ts';
import { SelfAttention } from '../layers/self-attention.ts';
import { validatePlan } from './fit-plan.ts';
import { parsePlan } from './parse-plan.ts';
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

describe('of coupled filters', () => {
  const stem = chain(input, layers.conv2d({ name: 'stem', filters: 3, kernelSize: 1 }));
  const outer = chain(stem, layers.conv2d({ name: 'outer', filters: 3, kernelSize: 1 }));
  const sum = layers.add({ name: 'sum' }).apply([stem, outer]) as SymbolicTensor;
  const model = modelOf(input, chain(sum, layers.conv2d({ name: 'last', filters: 2, kernelSize: 1 })));
  const coupled = readGraph(model, { coupled: 'together' });

  it('createPlan adds what goes along', () => {
    const plan = createPlan([{ layer: 'outer', filter: 2 }], { graph: coupled });
    expect(plan).toEqual({ version: 1, remove: { stem: [2], outer: [2] } });
    expect(validatePlan(plan, coupled)).toBe(plan);
    expect(() => createPlan([{ layer: 'last', filter: 0 }], { graph: coupled })).toThrow(
      "removes filter 0 of layer 'last', which is frozen: 'last' is the model's output",
    );
  });

  it('validatePlan names the filter that is missing', () => {
    expect(() => validatePlan({ version: 1, remove: { stem: [1] } }, coupled)).toThrow(
      "removes filter 1 of layer 'stem', but not filter 1 of layer 'outer', and they can only go together",
    );
    expect(() => validatePlan({ version: 1, remove: { stem: [1], outer: [1] } }, readGraph(model))).toThrow(
      "which is frozen: 'stem' feeds the addition 'sum'",
    );
  });

  it('validatePlan refuses to empty a layer that has no filters of its own', () => {
    const tokens = layers.inputLayer({ inputShape: [5, 2] }).output as SymbolicTensor;
    const attention = chain(tokens, new SelfAttention({ name: 'attention', heads: 1, headSize: 2, units: 1 }));
    const dense = (name: string, units: number) => chain(tokens, layers.dense({ name, units }));
    const both = layers.concatenate({ name: 'both' }).apply([attention, dense('a', 2)]) as SymbolicTensor;
    const meet = layers.add({ name: 'meet' }).apply([dense('b', 3), both]) as SymbolicTensor;
    const graph = readGraph(modelOf(tokens, chain(meet, layers.dense({ name: 'out', units: 1 }))), ALL_REMOVABLE);
    expect(() => validatePlan({ version: 1, remove: { b: [0] } }, graph)).toThrow(
      "leaves nothing of layer 'attention' (SelfAttention): all of its units would go. Keep one.",
    );
  });
});

describe('parsePlan', () => {
  it('reads what JSON.stringify wrote', () => {
    const plan = createPlan([{ layer: 'conv1', filter: 2 }]);
    expect(parsePlan(JSON.stringify(plan, null, 2))).toEqual(plan);
  });

  it.each([
    ['{"version": 1', 'Expected a pruning plan as JSON text, but it is not JSON'],
    ['[]', 'A pruning plan must be an object, but is [].'],
    ['{"version": 2, "remove": {}}', 'must have version 1, but this one has 2'],
    ['{"version": 1, "remove": {"a": [-1]}}', "removes filter -1 of layer 'a'; filter numbers are whole"],
    ['{"version": 1, "remove": {"a": [1e300]}}', "removes filter 1e+300 of layer 'a'; filter numbers are whole"],
    ['{"version": 1, "remove": {"a": {"length": 1}}}', "must list filter numbers for layer 'a'"],
  ])('refuses %s', (json, message) => {
    expect(() => parsePlan(json)).toThrow(message);
  });

  it.each(['__proto__', 'constructor', 'toString'])('knows no layer of the name %s', (layer) => {
    const plan = parsePlan(`{"version": 1, "remove": {"${layer}": [0]}}`);
    expect(() => validatePlan(plan, graph)).toThrow(`names layer '${layer}', which the model does not have`);
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
