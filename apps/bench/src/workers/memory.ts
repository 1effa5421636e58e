// Trains and prints a MemoryMeasurement.
import { train } from '@secateur/core';
import { memory } from '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { choice, count, factor } from '../arguments.ts';
import type { MemoryMeasurement, MemoryOptions, Snapshot } from '../memory/growth.ts';
import { buildNetwork } from '../networks.ts';
import { repeatedBatch } from '../repeated-batch.ts';
import { NETWORKS, PRECISIONS } from '../train-step/setting.ts';

const { model, precision, width, batch, warmup, steps } = new Command('memory')
  .requiredOption('--model <name>', 'network', choice(NETWORKS))
  .requiredOption('--precision <name>', 'of convolutions', choice(PRECISIONS))
  .requiredOption('--width <factor>', 'factor on the widths', factor)
  .requiredOption('--batch <images>', 'images in a batch', count)
  .requiredOption('--warmup <steps>', 'steps before the first look at the resident memory', count)
  .requiredOption('--steps <count>', 'steps from the first look to the last', count)
  .parse()
  .opts<MemoryOptions>();

await tf.setBackend('torch');
const network = buildNetwork(model, { width });
const source = repeatedBatch({ batch, steps: warmup + steps });

const beforeTraining = takeSnapshot();
let afterWarmup = beforeTraining;
let atEnd = beforeTraining;
const schedule = { kind: 'constant', rate: 0.01 } as const;
for await (const event of train(network, source, { epochs: 1, schedule, precision })) {
  if (event.type !== 'step') continue;
  if (event.step === warmup - 1) afterWarmup = takeSnapshot();
  if (event.step === event.steps - 1) atEnd = takeSnapshot();
}
const measurement: MemoryMeasurement = { beforeTraining, afterWarmup, atEnd, afterTraining: takeSnapshot() };
console.log(JSON.stringify(measurement));

function takeSnapshot(): Snapshot {
  // The heap's rubbish is no leak.
  globalThis.gc!();
  return { tensors: tf.memory().numTensors, handles: memory().tensors, residentBytes: process.memoryUsage.rss() };
}
