import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../test/support/engines.ts';
import { smallResNet, smallVgg } from '../../test/support/networks.ts';
import { largestDifference } from '../../test/support/numbers.ts';
import { randomNumbers } from '../../test/support/synthetic.ts';
import { compileProgram } from './program.ts';
import { predict, walkBackward, walkForward } from './walk.ts';

const IMAGES = 6;
const images = () => tf.tensor4d(randomNumbers(IMAGES * 8 * 8 * 3, 7), [IMAGES, 8, 8, 3]);
const seedGradient = () => tf.tensor2d(randomNumbers(IMAGES * 3, 8), [IMAGES, 3]);

/** The oracle: tfjs's own tape over tf.layers, weight key to gradient. */
function gradientsByTape(model: LayersModel, training: boolean): Map<string, Float32Array> {
  const x = images();
  const dy = seedGradient();
  const { grads } = tf.variableGrads(
    () => tf.sum(tf.mul(model.apply(x, { training }) as tf.Tensor, dy)) as tf.Scalar,
    model.trainableWeights.map((weight) => weight.read() as tf.Variable),
  );
  const gradients = new Map<string, Float32Array>();
  for (const layer of model.layers) {
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
      const layer = model.layers.find((candidate) => candidate.getClassName() === 'Conv2D')!;
      const [kernel, bias] = layer.getWeights();
      const step = program.stepOfLayer.get(layer.name)!;
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
});
