import '@secateur/tfjs-backend-torch';
import { type BatchSource, PLAIN_OBJECTIVE, train } from '@secateur/core';
import { denseNet, mobileNetV2, resnet, uNet, visionTransformer } from '@secateur/models';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';

const [IMAGES, SIZE, CLASSES] = [6, 16, 3];
const inputShape = [SIZE, SIZE, 3] as const;

/** One batch, again and again; class c is bright in channel c. `perImage` labels for each image. */
function oneBatch(steps: number, perImage: number): BatchSource {
  const labels = Int32Array.from({ length: IMAGES * perImage }, (_, label) => Math.floor(label / perImage) % CLASSES);
  const noise = tf.tidy(() => tf.randomUniform([IMAGES * SIZE * SIZE * 3], -1, 1, 'float32', 1).dataSync());
  const images = Float32Array.from(noise, (value, i) => {
    const image = Math.floor(i / (SIZE * SIZE * 3));
    return value / 2 + (i % 3 === image % CLASSES ? 1 : 0);
  });
  return {
    size: steps * IMAGES,
    batchSize: IMAGES,
    classNames: ['red', 'green', 'blue'],
    async *batches() {
      for (let step = 0; step < steps; step++) yield { images, labels, shape: [IMAGES, ...inputShape] };
    },
  };
}

const NETWORKS: [string, () => LayersModel, number][] = [
  ['resnet20', () => resnet({ depth: 20, width: 0.25, classes: CLASSES, inputShape }), 1],
  ['mobilenetv2', () => mobileNetV2({ width: 0.125, classes: CLASSES, inputShape }), 1],
  ['densenet13', () => denseNet({ depth: 13, width: 0.5, classes: CLASSES, inputShape }), 1],
  ['unet', () => uNet({ levels: 2, width: 0.25, classes: CLASSES, inputShape }), SIZE * SIZE],
  ['vit2', () => visionTransformer({ depth: 2, features: 24, classes: CLASSES, inputShape }), 1],
];

beforeAll(async () => {
  await tf.setBackend('torch');
});

test.each(NETWORKS)('%s learns a batch, and every weight gets its gradient', async (name, build, perImage) => {
  const model = build();
  expect(model.name).toBe(name);
  const before = model.trainableWeights.map((weight) => weight.read().dataSync().slice());
  const options = { epochs: 1, objective: PLAIN_OBJECTIVE, schedule: { kind: 'constant', rate: 0.05 } } as const;
  const losses: number[] = [];
  for await (const event of train(model, oneBatch(20, perImage), options)) {
    if (event.type === 'step') losses.push(event.crossEntropy);
  }
  expect(losses[0]).toBeGreaterThan(0.6);
  expect(Math.min(...losses.slice(-3))).toBeLessThan(0.75 * losses[0]!);
  model.trainableWeights.forEach((weight, i) => {
    expect(weight.read().dataSync(), weight.originalName).not.toEqual(before[i]);
  });
  model.dispose();
});

test.each(NETWORKS)("%s trains in plain tfjs too, with the loss of core's first step", async (_, build, perImage) => {
  const model = build();
  const source = oneBatch(1, perImage);
  const options = { epochs: 1, objective: PLAIN_OBJECTIVE, schedule: { kind: 'constant', rate: 0 } } as const;
  const byCore: number[] = [];
  for await (const event of train(model, source, options)) if (event.type === 'step') byCore.push(event.crossEntropy);
  for await (const { images, labels, shape } of source.batches(0)) {
    const loss = () =>
      tf.tidy(() => {
        const logits = model.apply(tf.tensor4d(images, [...shape]), { training: true }) as tf.Tensor;
        const rows = tf.reshape(logits, [-1, CLASSES]);
        return tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d(labels, 'int32'), CLASSES), rows) as tf.Scalar;
      });
    const optimizer = tf.train.sgd(0.02);
    const first = optimizer.minimize(loss, true)!.dataSync()[0]!;
    expect(first).toBeCloseTo(byCore[0]!, 4);
    for (let step = 0; step < 8; step++) optimizer.minimize(loss);
    const after = loss().dataSync()[0]!;
    expect(after).toBeLessThan(first);
  }
  model.dispose();
});
