// Times the whole way to a pruned network and prints its Measurement. Takes the arguments of peers/end_to_end.py.
import {
  applyPlan,
  createPlan,
  PAPER_OBJECTIVE,
  rankByShare,
  readGraph,
  scoreFilters,
  selectFilters,
  train,
} from '@secateur/core';
import { setThreads } from '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { Command } from 'commander';
import { choice, count, factor, share as parseShare } from '../arguments.ts';
import { Clock } from '../comparison/clock.ts';
import { peakBytes } from '../comparison/measurement.ts';
import { buildNetwork } from '../networks.ts';
import { noiseImages } from '../noise-images.ts';
import { repeatedBatch } from '../repeated-batch.ts';
import { NETWORKS, type NetworkName, PRECISIONS, type Setting } from '../train-step/setting.ts';

/** As `createPruningSources` of @secateur/data takes them. */
const SCORING_BATCH = 50;

const { model, precision, width, batch, steps, iterations, share, images, threads } = new Command('end-to-end')
  .requiredOption('--model <name>', 'network', choice(NETWORKS))
  .requiredOption('--precision <name>', 'of convolutions in training', choice(PRECISIONS))
  .requiredOption('--width <factor>', 'factor on the widths', factor)
  .requiredOption('--batch <images>', 'images in a batch', count)
  .requiredOption('--steps <count>', 'training steps before the first removal and after each', count)
  .requiredOption('--iterations <count>', 'removals', count)
  .requiredOption('--share <share>', "of each convolution's filters", parseShare)
  .requiredOption('--images <count>', 'scoring images of each class', count)
  .requiredOption('--threads <count>', 'threads', count)
  .parse()
  .opts<{
    readonly model: NetworkName;
    readonly precision: Setting['precision'];
    readonly width: number;
    readonly batch: number;
    readonly steps: number;
    readonly iterations: number;
    readonly share: number;
    readonly images: number;
    readonly threads: number;
  }>();

await tf.setBackend('torch');
setThreads(threads);

const training = repeatedBatch({ batch, steps });
const scoring = noiseImages({ classes: 10, perClass: images, batch: SCORING_BATCH });

async function tune(network: LayersModel): Promise<LayersModel> {
  const schedule = { kind: 'constant', rate: 0.01 } as const;
  for await (const _ of train(network, training, { epochs: 1, schedule, objective: PAPER_OBJECTIVE, precision }));
  return network;
}

/** The lowest share of each layer's filters, rounded down. */
async function prune(network: LayersModel): Promise<LayersModel> {
  const graph = readGraph(network);
  const scores = await scoreFilters(network, scoring, { criterion: { kind: 'reference', tau: 0 } });
  const { removed } = selectFilters(rankByShare(scores, { groups: graph.groups }), {
    strategy: 'percentage',
    scope: 'layer',
    maxFraction: share,
  });
  const smaller = await applyPlan(network, createPlan(removed), { graph });
  network.dispose();
  return smaller;
}

async function wholeWay(): Promise<LayersModel> {
  let network = await tune(buildNetwork(model, { width }));
  for (let iteration = 0; iteration < iterations; iteration++) network = await tune(await prune(network));
  return network;
}

const startBytes = peakBytes();
const clock = new Clock();
console.log(JSON.stringify(clock.measurement(await clock.time(wholeWay), startBytes)));
