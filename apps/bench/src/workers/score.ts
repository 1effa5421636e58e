// Times scoring passes by the authors' rule and prints a Measurement. Takes the arguments of peers/score.py.
import { scoreFilters } from '@secateur/core';
import { setThreads } from '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { choice, count, factor } from '../arguments.ts';
import { Clock } from '../comparison/clock.ts';
import { peakBytes } from '../comparison/measurement.ts';
import { buildNetwork } from '../networks.ts';
import { noiseImages } from '../noise-images.ts';
import { NETWORKS, type NetworkName } from '../train-step/setting.ts';

/** As `createPruningSources` of @secateur/data takes them. */
const BATCH = 50;

const { model, width, classes, images, repeats, threads } = new Command('score')
  .requiredOption('--model <name>', 'network', choice(NETWORKS))
  .requiredOption('--width <factor>', 'factor on the widths', factor)
  .requiredOption('--classes <count>', 'classes', count)
  .requiredOption('--images <count>', 'images of each class', count)
  .requiredOption('--repeats <count>', 'measured passes', count)
  .requiredOption('--threads <count>', 'threads', count)
  .parse()
  .opts<{
    readonly model: NetworkName;
    readonly width: number;
    readonly classes: number;
    readonly images: number;
    readonly repeats: number;
    readonly threads: number;
  }>();

await tf.setBackend('torch');
setThreads(threads);

const network = buildNetwork(model, { width, classes });
const source = noiseImages({ classes, perClass: images, batch: BATCH });
const pass = () => scoreFilters(network, source, { criterion: { kind: 'reference', tau: 0 } });
const startBytes = peakBytes();
await pass();
const clock = new Clock();
for (let repeat = 0; repeat < repeats; repeat++) await clock.time(pass);
console.log(JSON.stringify(clock.measurement(network, startBytes)));
