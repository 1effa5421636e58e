import * as tf from '@tensorflow/tfjs-core';
import {
  initializers,
  type LayersModel,
  layers,
  model as layersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { largestDifference } from '../../test/support/numbers.ts';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import { randomNumbers } from '../../test/support/synthetic.ts';
import { compileProgram } from './program.ts';
import { predict, walkBackward, walkForward } from './walk.ts';

const IMAGES = 6;
const images = () => tf.tensor4d(randomNumbers(IMAGES * 8 * 8 * 3, 7), [IMAGES, 8, 8, 3]);
const seedGradient = () => tf.tensor2d(randomNumbers(IMAGES * 3, 8), [IMAGES, 3]);

/** One convolution and batch norm in two places, and a model in the model that is in two places as well. */
function sharedAndNested(): LayersModel {
  const kernelInitializer = () => initializers.randomNormal({ mean: 0, stddev: 0.3, seed: 5 });
  const conv = (name: string) =>
    layers.conv2d({ name, filters: 3, kernelSize: 3, padding: 'same', kernelInitializer: kernelInitializer() });
  const inside = image(8, 3);
  const nested = layersModel({ name: 'nested', inputs: inside, outputs: chain(inside, conv('deep'), layers.reLU()) });
  const input = image(8, 3);
  const [shared, norm] = [conv('shared'), layers.batchNormalization({ name: 'norm' })];
  const once = chain(input, shared, norm, layers.reLU(), nested);
  const twice = chain(once, shared, norm, nested);
  const sum = layers.add().apply([once, twice]) as SymbolicTensor;
  const head = layers.dense({ name: 'logits', units: 3, kernelInitializer: kernelInitializer() });
  return modelOf(input, chain(sum, layers.globalAveragePooling2d({}), head));
}

const leaves = (model: LayersModel): layers.Layer[] =>
  model.layers.flatMap((layer) => ('layers' in layer ? leaves(layer as unknown as LayersModel) : [layer]));

/** The oracle: tfjs's own tape over tf.layers, weight key to gradient. */
function gradientsByTape(model: LayersModel, training: boolean): Map<string, Float32Array> {
  const x = images();
  const dy = seedGradient();
  const { grads } = tf.variableGrads(
    () => tf.sum(tf.mul(model.apply(x, { training }) as tf.Tensor, dy)) as tf.Scalar,
    model.trainableWeights.map((weight) => weight.read() as tf.Variable),
  );
  const gradients = new Map<string, Float32Array>();
  for (const layer of leaves(model)) {
    layer.trainableWeights.forEach((weight, index) => {
      gradients.set(`${layer.name}/${index}`, grads[(weight.read() as tf.Variable).name]!.dataSync() as Float32Array);
    });
  }
  tf.dispose([x, dy, grads]);
  return gradients;
}

eachEngine(() => {
  describe.each([
    ['a VGG', smallVgg],
    ['a ResNet', smallResNet],
    ['shared layers and nested models', sharedAndNested],
  ])('walking through %s', (_, build) => {
    it('predicts what tf.layers predicts, and leaves no tensors behind', () => {
      const model = build();
      const x = images();
      const before = tf.memory().numTensors;
      const output = predict(compileProgram(model), x);
      const expected = model.predict(x) as tf.Tensor;
      expect(largestDifference(output.dataSync(), expected.dataSync())).toBeLessThan(1e-5);
      tf.dispose([output, expected]);
      expect(tf.memory().numTensors).toBe(before);
    });

    it("finds the gradients of tfjs's tape in training, and leaves no tensors behind", () => {
      const model = build();
      const expected = gradientsByTape(model, true);
      const program = compileProgram(model);
      const before = tf.memory().numTensors;
      const gradients = new Map<string, Float32Array>();
      const [x, dy] = [images(), seedGradient()];
      const walk = walkForward(program, x, { mode: 'training' });
      walkBackward(program, walk, dy, {
        onWeight: ({ key }, gradient) => gradients.set(key, gradient.dataSync().slice() as Float32Array),
      });
      tf.dispose([x, dy, walk.output, walk.updates.flatMap(({ mean, variance }) => [mean, variance])]);
      expect(tf.memory().numTensors).toBe(before);
      expect([...gradients.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [key, gradient] of expected) {
        expect(largestDifference(gradients.get(key)!, gradient), key).toBeLessThan(2e-4);
      }
    });

    it("finds the gradients of tfjs's tape in inference mode", () => {
      const model = build();
      const expected = gradientsByTape(model, false);
      const program = compileProgram(model);
      tf.tidy(() => {
        const walk = walkForward(program, images(), { mode: 'inference' });
        walkBackward(program, walk, seedGradient(), {
          onWeight: ({ key }, gradient) => {
            expect(largestDifference(gradient.dataSync(), expected.get(key)!), key).toBeLessThan(2e-4);
            expected.delete(key);
          },
        });
      });
      expect(expected.size).toBe(0);
    });

    it('gives taps the output before batch norm and the gradient with respect to it', () => {
      const model = build();
      const expected = gradientsByTape(model, false);
      const program = compileProgram(model);
      // A tap is at one place; of the layers in several, their places' products would have to be added.
      const layer = model.layers.find((candidate) => candidate.getClassName() === 'Conv2D')!;
      if (program.sharedWeights.has(`${layer.name}/0`)) return;
      const [kernel, bias] = layer.getWeights();
      const step = program.steps.findIndex(({ node }) => node.layer === layer);
      tf.tidy(() => {
        const walk = walkForward(program, images(), { mode: 'inference', taps: new Set([step]) });
        const products: number[] = [];
        walkBackward(program, walk, seedGradient(), {
          onTap: (tapped, activation, gradient) => {
            expect(tapped).toBe(step);
            const withoutBias = bias ? tf.sub(activation, bias) : activation;
            products.push(tf.sum(tf.mul(withoutBias, gradient)).dataSync()[0]!);
          },
        });
        // The output is linear in the kernel: sum(a * dL/da) is sum(K * dL/dK).
        const gradient = tf.tensor(expected.get(`${layer.name}/0`)!, kernel!.shape);
        const product = tf.sum(tf.mul(kernel!, gradient)).dataSync()[0]!;
        expect(Math.abs(product)).toBeGreaterThan(1e-2);
        expect(products.length).toBe(1);
        expect(products[0]).toBeCloseTo(product, 4);
      });
    });
  });

  it('moves the statistics of batch norm in two places by what both say', () => {
    const input = layers.inputLayer({ inputShape: [1] }).output as SymbolicTensor;
    const norm = layers.batchNormalization({ name: 'norm', momentum: 0.9, center: false, scale: false, epsilon: 0 });
    const double = layers.dense({ units: 1, useBias: false, kernelInitializer: initializers.constant({ value: 2 }) });
    const both = [chain(input, norm), chain(input, double, norm)];
    const program = compileProgram(modelOf(input, layers.concatenate().apply(both) as SymbolicTensor));
    tf.tidy(() => {
      const { updates } = walkForward(program, tf.tensor2d([1, 3], [2, 1]), { mode: 'training' });
      expect(updates.length).toBe(1);
      // Means 2 and 4, unbiased variances 2 and 8; from 0 and 1, a tenth of the way to each.
      expect(updates[0]!.mean.dataSync()[0]).toBeCloseTo(0.2 + 0.4, 5);
      expect(updates[0]!.variance.dataSync()[0]).toBeCloseTo(1 + 0.1 + 0.7, 5);
    });
  });

  it('says what it cannot train', () => {
    const [a, b] = [image(8, 3), layers.inputLayer({ inputShape: [8, 8, 3] }).output as SymbolicTensor];
    const two = layersModel({ inputs: [a, b], outputs: layers.add().apply([a, b]) as SymbolicTensor });
    expect(() => compileProgram(two)).toThrow('has 2 and 1. Such models can be pruned with a plan, but not trained');
    const tokens = layers.inputLayer({ inputShape: [5, 2] }).output as SymbolicTensor;
    const recurrentInitializer = 'glorotUniform' as const;
    const memory = layers.lstm({ name: 'memory', units: 2, returnState: true, recurrentInitializer });
    const [output] = memory.apply(tokens) as SymbolicTensor[];
    expect(() => compileProgram(modelOf(tokens, output!))).toThrow("with one output, but 'memory' (LSTM) has 3");
  });
});
