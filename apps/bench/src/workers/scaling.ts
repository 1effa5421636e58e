// Measures the processor time of scoring or surgery, of an untrained network: its size is what matters.
import { applyPlan, countCost, createPlan, readGraph, scoreFilters } from '@secateur/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { parseCriterion } from '../criteria/parse-criterion.ts';
import { buildNetwork } from '../networks.ts';
import { noiseImages } from '../noise-images.ts';
import type { ScalingRecord, ScalingTask } from '../scaling/records.ts';
import { answer } from '../study/answer.ts';

/** As `createPruningSources` of @secateur/data takes them. */
const BATCH = 50;

/** Short work in JavaScript: V8 goes on compiling it for some time, and for longer in small networks. */
const SURGERIES_PER_REPEAT = 5;

await answer(async ({ point, work, imagesPerClass, criterion, repeats }: ScalingTask): Promise<ScalingRecord> => {
  const { network, width, classes, imageSize } = point;
  const model = buildNetwork(network, { width, classes, inputShape: [imageSize, imageSize, 3] });
  const source = noiseImages({
    classes,
    perClass: work === 'scoring' ? imagesPerClass : 1,
    size: imageSize,
    batch: BATCH,
  });
  const { macs, parameters } = countCost(model);
  const before = process.memoryUsage.rss();
  const perform =
    work === 'scoring'
      ? async () => void (await scoreFilters(model, source, { criterion: parseCriterion(criterion) }))
      : () => cut(model);
  const milliseconds: number[] = [];
  const times = work === 'surgery' ? SURGERIES_PER_REPEAT * repeats : repeats;
  for (let repeat = 0; repeat <= times; repeat++) {
    const started = process.cpuUsage();
    await perform();
    const { user, system } = process.cpuUsage(started);
    // The first compiles most.
    if (repeat > 0) milliseconds.push((user + system) / 1000);
  }
  const filters = model.layers
    .filter((layer) => layer.getClassName() === 'Conv2D')
    .reduce((sum, layer) => sum + ((layer.outputShape as number[]).at(-1) ?? 0), 0);
  const peak = process.resourceUsage().maxRSS * 1024;
  return {
    images: work === 'scoring' ? source.size : 0,
    filters,
    parameters,
    macs,
    milliseconds,
    extraBytes: Math.max(0, peak - before),
  };
});

/** Removes every other unit of the convolutions, from reading the graph to the smaller network. */
async function cut(model: LayersModel): Promise<void> {
  const graph = readGraph(model);
  const goes = graph.groups.flatMap(({ units }) => units.filter((_, i) => i % 2 === 1));
  const plan = createPlan(goes.flatMap(({ filters }) => filters));
  (await applyPlan(model, plan, { graph })).dispose();
}
