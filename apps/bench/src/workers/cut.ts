// Times pruning surgery and prints a Measurement of the smaller network. Takes the arguments of peers/cut.py.
import { applyPlan, createPlan, readGraph } from '@secateur/core';
import { setThreads } from '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { choice, count, factor, share as parseShare } from '../arguments.ts';
import { Clock } from '../comparison/clock.ts';
import { peakBytes } from '../comparison/measurement.ts';
import { buildNetwork } from '../networks.ts';
import { NETWORKS, type NetworkName } from '../train-step/setting.ts';

const { model, width, share, repeats, threads } = new Command('cut')
  .requiredOption('--model <name>', 'network', choice(NETWORKS))
  .requiredOption('--width <factor>', 'factor on the widths', factor)
  .requiredOption('--share <share>', "of each convolution's filters", parseShare)
  .requiredOption('--repeats <count>', 'measured cuts', count)
  .requiredOption('--threads <count>', 'threads', count)
  .parse()
  .opts<{
    readonly model: NetworkName;
    readonly width: number;
    readonly share: number;
    readonly repeats: number;
    readonly threads: number;
  }>();

await tf.setBackend('torch');
setThreads(threads);

const network = buildNetwork(model, { width });

/** From reading the graph to the smaller network. */
async function cut() {
  const graph = readGraph(network);
  const goes = graph.groups.flatMap(({ units }) => units.slice(0, Math.floor(share * units.length)));
  return applyPlan(network, createPlan(goes.flatMap(({ filters }) => filters)), { graph });
}

const startBytes = peakBytes();
let smaller = await cut();
const clock = new Clock();
for (let repeat = 0; repeat < repeats; repeat++) {
  smaller.dispose();
  smaller = await clock.time(cut);
}
console.log(JSON.stringify(clock.measurement(smaller, startBytes)));
