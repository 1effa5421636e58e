// Trains one network of a Task, given as JSON, and prints its record.
import { evaluate, train } from '@secateur/core';
import { vgg11 } from '@secateur/models';
import '@secateur/tfjs-backend-torch';
import * as tf from '@tensorflow/tfjs-core';
import { openCifar10 } from '../cifar10.ts';
import type { PrecisionRecord, Task } from '../precision/records.ts';
import { OBJECTIVE } from '../study/quickstart.ts';

const { setup, seed, precision, data } = JSON.parse(process.argv[2]!) as Task;
await tf.setBackend('torch');
const images = await openCifar10({ ...setup, seed, data });
const model = vgg11({ width: setup.width, seed });
const schedule = { kind: 'one-cycle', peak: 0.1, warmup: 0.25 } as const;
const started = performance.now();
let loss = Number.NaN;
for await (const event of train(model, images.training, {
  epochs: setup.epochs,
  schedule,
  objective: OBJECTIVE,
  precision,
})) {
  if (event.type === 'epoch') loss = event.loss;
}
const seconds = (performance.now() - started) / 1000;
const { accuracy } = await evaluate(model, images.test);
const record: PrecisionRecord = { testAccuracy: accuracy, loss, seconds };
console.log(JSON.stringify(record));
await images.close();
