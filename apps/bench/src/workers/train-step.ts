// Times training steps of secateur and prints a Measurement. Takes the arguments of peers/train_step.py. With --profiled, the measured
// steps are profiled, a line PROFILE_BEGINS on standard output precedes them, and the Measurement has their rows.
import { PAPER_OBJECTIVE, PLAIN_OBJECTIVE, train } from '@secateur/core';
import { type Profile, setDevice, setThreads, startProfile, versions } from '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { choice, count, factor, device as parseDevice } from '../arguments.ts';
import { peakBytes } from '../comparison/measurement.ts';
import { buildNetwork } from '../networks.ts';
import { repeatedBatch } from '../repeated-batch.ts';
import {
  NETWORKS,
  OBJECTIVES,
  PRECISIONS,
  PROFILE_BEGINS,
  type RunOptions,
  type Setting,
  type TrainingMeasurement,
} from '../train-step/setting.ts';

const { model, precision, objective, width, batch, device, warmup, steps, threads, profiled } = new Command(
  'train-step',
)
  .requiredOption('--model <name>', 'network', choice(NETWORKS))
  .requiredOption('--precision <name>', 'of convolutions', choice(PRECISIONS))
  .requiredOption('--objective <name>', 'full adds L1 and orthogonality', choice(OBJECTIVES))
  .requiredOption('--width <factor>', 'factor on the widths', factor)
  .requiredOption('--batch <images>', 'images in a batch', count)
  .requiredOption('--device <name>', 'cpu, cuda or cuda:<number>', parseDevice)
  .requiredOption('--warmup <steps>', 'steps before the measured ones', count)
  .requiredOption('--steps <count>', 'measured steps', count)
  .requiredOption('--threads <count>', 'threads', count)
  .option('--profiled', 'profile the measured steps', false)
  .parse()
  .opts<Setting & RunOptions & { readonly profiled: boolean }>();

await tf.setBackend('torch');
setDevice(device);
setThreads(threads);

const network = buildNetwork(model, { width });
const startBytes = peakBytes();
// A single epoch, since train() copies the weights at the start of each.
const events = train(network, repeatedBatch({ batch, steps: warmup + steps }), {
  epochs: 1,
  schedule: { kind: 'constant', rate: 0.01 },
  objective: objective === 'full' ? PAPER_OBJECTIVE : PLAIN_OBJECTIVE,
  precision,
});

const milliseconds: number[] = [];
let loss = Number.NaN;
let start = { wall: 0, cpu: process.cpuUsage() };
let busyCpus = 0;
let profile: Profile | undefined;
for await (const event of events) {
  if (event.type !== 'step') continue;
  if (event.step >= warmup) milliseconds.push(event.milliseconds);
  if (event.step === warmup - 1 && profiled) {
    console.log(PROFILE_BEGINS);
    profile = startProfile({ byShape: true });
  }
  if (event.step === warmup - 1) start = { wall: performance.now(), cpu: process.cpuUsage() };
  if (event.step === event.steps - 1) {
    const { user, system } = process.cpuUsage(start.cpu);
    busyCpus = (user + system) / (1000 * (performance.now() - start.wall));
    loss = event.total;
  }
}

const measurement: TrainingMeasurement = {
  engine: `secateur on libtorch ${versions().libtorch}`,
  parameters: network.trainableWeights.reduce((total, { shape }) => total + shape.reduce((a, b) => a! * b!, 1)!, 0),
  milliseconds,
  busyCpus,
  startBytes,
  peakBytes: peakBytes(),
  loss,
  ...(profile && { rows: profile.stop() }),
};
console.log(JSON.stringify(measurement));
