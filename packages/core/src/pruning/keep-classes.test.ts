import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { fillWeights } from '../../test/support/small-models.ts';
import { countCost } from '../cost/count-cost.ts';
import { keepClasses } from './keep-classes.ts';

const classNames = ['ant', 'bee', 'cat', 'dog'];

function predict(model: LayersModel): number[][] {
  return tf.tidy(() => {
    const images = tf.randomUniform([3, 8, 8, 3], -1, 1, 'float32', 7);
    return (model.predict(images) as tf.Tensor2D).arraySync();
  });
}

it.each([
  ['VGG', smallVgg],
  ['ResNet', smallResNet],
])('a %s keeps the logits of the classes that are kept', async (_, build) => {
  const model = build(4);
  const specialist = await keepClasses(model, { classes: ['dog', 'bee'], classNames });
  expect(predict(specialist)).toEqual(predict(model).map(([, bee, , dog]) => [bee, dog]));
  const [all, kept] = [countCost(model), countCost(specialist)];
  const units = model.getLayer('logits').getWeights()[0]!.shape[0]!;
  expect(all.macs - kept.macs).toBe(2 * units);
  expect(all.parameters - kept.parameters).toBe(2 * (units + 1));
});

it('goes behind a softmax layer, which then shares out what is left', async () => {
  const model = sequential({
    layers: [
      layers.globalAveragePooling2d({ inputShape: [8, 8, 3] }),
      layers.dense({ units: 4 }),
      layers.activation({ activation: 'softmax' }),
    ],
  });
  const specialist = await keepClasses(model, { classes: ['ant', 'bee'], classNames });
  predict(model).forEach(([ant, bee], image) => {
    const [first, second] = predict(specialist)[image]!;
    expect(first).toBeCloseTo(ant! / (ant! + bee!), 5);
    expect(second).toBeCloseTo(bee! / (ant! + bee!), 5);
  });
});

it('goes behind what keeps the classes apart, as at the end of a fully convolutional network', async () => {
  const model = sequential({
    layers: [
      layers.conv2d({ name: 'features', inputShape: [8, 8, 3], filters: 5, kernelSize: 3, activation: 'relu' }),
      layers.conv2d({ name: 'maps', filters: 4, kernelSize: 1 }),
      layers.batchNormalization({ name: 'norm' }),
      layers.globalAveragePooling2d({}),
      layers.reshape({ name: 'rows', targetShape: [1, 4] }),
      layers.flatten(),
    ],
  });
  fillWeights(model, 9);
  const specialist = await keepClasses(model, { classes: ['dog', 'ant'], classNames });
  expect(predict(specialist)).toEqual(predict(model).map(([ant, , , dog]) => [ant, dog]));
  expect(specialist.getLayer('norm').getWeights()[0]!.shape).toEqual([2]);
});

it('cuts a dense layer with a softmax of its own', async () => {
  const build = (activation: 'softmax' | 'linear') =>
    sequential({
      layers: [
        layers.globalAveragePooling2d({ inputShape: [8, 8, 3] }),
        layers.dense({ name: 'logits', units: 4, activation }),
      ],
    });
  const [model, linear] = [build('softmax'), build('linear')];
  fillWeights(model, 9);
  linear.setWeights(model.getWeights());
  const specialist = await keepClasses(model, { classes: ['bee', 'cat'], classNames });
  predict(linear).forEach(([, bee, cat], image) => {
    expect(predict(specialist)[image]![0]).toBeCloseTo(1 / (1 + Math.exp(cat! - bee!)), 5);
  });
});

it.each([
  [['ant', 'cow'], classNames, "'cow' is none of the classes: ant, bee, cat, dog"],
  [['ant', 'bee', 'ant'], classNames, "'ant' is to be kept twice"],
  [['ant'], classNames, "'ant' alone"],
  [[], classNames, 'there are none'],
  [['ant', 'bee'], ['ant', 'bee', 'cat'], 'each of the 3 classes'],
])('refuses to keep %j of %j', async (classes, names, message) => {
  await expect(keepClasses(smallVgg(4), { classes, classNames: names })).rejects.toThrow(message);
});

it('refuses a model without a last layer of units', async () => {
  const model = sequential({ layers: [layers.globalAveragePooling2d({ name: 'gap', inputShape: [8, 8, 4] })] });
  await expect(keepClasses(model, { classes: ['ant', 'bee'], classNames })).rejects.toThrow("ends in 'gap'");
});
