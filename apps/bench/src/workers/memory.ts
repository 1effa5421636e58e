// Trains and prints a MemoryMeasurement.
import { train } from '@secateur/core';
import { memory } from '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { choice, count, factor } from '../arguments.ts';
import type { MemoryMeasurement, MemoryOptions, Snapshot } from '../memory/growth.ts';
import { settledBytes } from '../memory/settled-bytes.ts';
import { buildNetwork } from '../networks.ts';
import { repeatedBatch } from '../repeated-batch.ts';
import { NETWORKS, PRECISIONS } from '../train-step/setting.ts';

/** From one look to the next. */
const MOST_PARTS = 20;

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
const duringTraining: Snapshot[] = [];
const parts = Math.min(MOST_PARTS, steps);
const schedule = { kind: 'constant', rate: 0.01 } as const;
for await (const event of train(network, source, { epochs: 1, schedule, precision })) {
  if (event.type !== 'step') continue;
  const done = event.step + 1 - warmup;
  if (done === Math.round((duringTraining.length * steps) / parts)) duringTraining.push(takeSnapshot());
}
const measurement: MemoryMeasurement = { beforeTraining, duringTraining, afterTraining: takeSnapshot() };
console.log(JSON.stringify(measurement));

function takeSnapshot(): Snapshot {
  return { tensors: tf.memory().numTensors, handles: memory().tensors, residentBytes: settledBytes() };
}
