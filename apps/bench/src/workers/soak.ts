// Trains a small network for long and prints a SoakMeasurement.
import { train } from '@secateur/core';
import { memory } from '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { Command } from 'commander';
import { count } from '../arguments.ts';
import { repeatedBatch } from '../repeated-batch.ts';
import type { SoakMeasurement, SoakOptions } from '../soak/endurance.ts';

const PARTS = 10;

const { steps, batch } = new Command('soak')
  .requiredOption('--steps <count>', 'training steps', count)
  .requiredOption('--batch <images>', 'images in a batch', count)
  .parse()
  .opts<SoakOptions>();

await tf.setBackend('torch');

/** Every kind of layer that training has kernels of its own for. */
const network = tfl.sequential({
  layers: [
    tfl.layers.conv2d({ inputShape: [32, 32, 3], filters: 8, kernelSize: 3, strides: 2, padding: 'same' }),
    tfl.layers.batchNormalization({}),
    tfl.layers.reLU(),
    tfl.layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same' }),
    tfl.layers.batchNormalization({}),
    tfl.layers.reLU(),
    tfl.layers.maxPooling2d({ poolSize: 2 }),
    tfl.layers.flatten(),
    tfl.layers.dense({ units: 10 }),
  ],
});

const part = Math.floor(steps / PARTS);
// V8 compiles during the first steps, and memory settles.
const warmup = Math.min(part, 300);
const snapshots: SoakMeasurement['snapshots'][number][] = [];
let start = Number.NaN;
for await (const event of train(network, repeatedBatch({ batch, steps: warmup + PARTS * part }), {
  epochs: 1,
  schedule: { kind: 'constant', rate: 0.001 },
})) {
  if (event.type !== 'step') continue;
  const done = event.step + 1 - warmup;
  if (done > 0 && done % part === 0) {
    const imagesPerSecond = (1000 * batch * part) / (performance.now() - start);
    // The heap's rubbish is no leak.
    globalThis.gc!();
    const { rss: residentBytes } = process.memoryUsage();
    snapshots.push({ tensors: tf.memory().numTensors, handles: memory().tensors, residentBytes, imagesPerSecond });
  }
  if (done >= 0 && done % part === 0) start = performance.now();
}
const measurement: SoakMeasurement = { snapshots };
console.log(JSON.stringify(measurement));
