// Times model.predict, or a trace of it, and prints a Measurement. Takes the arguments of peers/inference.py.
import { setPrecision, setThreads, trace, versions } from '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { Command } from 'commander';
import { choice, count, factor } from '../arguments.ts';
import { type Measurement, peakBytes } from '../comparison/measurement.ts';
import { CALLS, type InferenceRunOptions, type InferenceSetting } from '../inference/setting.ts';
import { buildNetwork } from '../networks.ts';
import { NETWORKS, PRECISIONS } from '../train-step/setting.ts';

const { model, precision, batch, call, width, seconds, threads } = new Command('inference')
  .requiredOption('--model <name>', 'network', choice(NETWORKS))
  .requiredOption('--precision <name>', 'of convolutions', choice(PRECISIONS))
  .requiredOption('--batch <images>', 'images in a batch', count)
  .requiredOption('--call <name>', 'how it predicts', choice(CALLS))
  .requiredOption('--width <factor>', 'factor on the widths', factor)
  .requiredOption('--seconds <n>', 'how long to measure', factor)
  .requiredOption('--threads <count>', 'threads', count)
  .parse()
  .opts<InferenceSetting & InferenceRunOptions>();

await tf.setBackend('torch');
setThreads(threads);
setPrecision(precision);

const network = buildNetwork(model, { width });
const images = tf.randomNormal([batch, 32, 32, 3], 0, 1, 'float32', 1);
const predict = (x: tf.Tensor) => network.predict(x, { batchSize: batch }) as tf.Tensor;
const traced = call === 'trace' ? trace(predict, images) : undefined;

/** Milliseconds of each prediction, its values read, until the time is up. */
function predictFor(duration: number): number[] {
  const milliseconds: number[] = [];
  const end = performance.now() + duration;
  do {
    const start = performance.now();
    const predictions = traced ? traced.run(images)[0]! : predict(images);
    predictions.dataSync();
    predictions.dispose();
    milliseconds.push(performance.now() - start);
  } while (performance.now() < end);
  return milliseconds;
}

const startBytes = peakBytes();
predictFor((1000 * seconds) / 3);
const start = { wall: performance.now(), cpu: process.cpuUsage() };
const milliseconds = predictFor(1000 * seconds);
const { user, system } = process.cpuUsage(start.cpu);

const measurement: Measurement = {
  engine: `tfjs on libtorch ${versions().libtorch}`,
  parameters: network.trainableWeights.reduce((total, { shape }) => total + shape.reduce((a, b) => a! * b!, 1)!, 0),
  milliseconds,
  busyCpus: (user + system) / (1000 * (performance.now() - start.wall)),
  startBytes,
  peakBytes: peakBytes(),
};
console.log(JSON.stringify(measurement));
