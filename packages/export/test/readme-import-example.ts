import '@tensorflow/tfjs-backend-cpu';
import { applyPlan, createPlan, rankByShare, readGraph, scoreFilters, selectFilters } from '@secateur/core';
import { importOnnx, verify, writeOnnx } from '@secateur/export';

const { model, notes } = await importOnnx('test/fixtures/resnet20.onnx', { logits: true });
console.log(model.inputs[0]?.shape, notes);

const graph = readGraph(model);
const layers = graph.groups.flatMap(({ producers }) => producers);
const scores = await scoreFilters(model, undefined, { criterion: { kind: 'l1-norm' }, layers });
const choice = { strategy: 'percentage', maxFraction: 0.25, layerSizes: graph.filters } as const;
const { removed } = selectFilters(rankByShare(scores, { groups: graph.groups }), choice);
const pruned = await applyPlan(model, createPlan(removed, { graph }));

const images = Float32Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => Math.sin(i));
const onnx = await writeOnnx(pruned, 'pruned-resnet20.onnx');
console.log((await verify(pruned, onnx, { images, shape: [2, 32, 32, 3] })).passed);
