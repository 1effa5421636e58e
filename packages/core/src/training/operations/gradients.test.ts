import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { eachEngine } from '../../../test/support/engines.ts';
import { largestDifference } from '../../../test/support/numbers.ts';
import { fillWeights } from '../../../test/support/small-models.ts';
import { randomNumbers } from '../../../test/support/synthetic.ts';
import { ZeroPadShortcut } from '../../layers/zero-pad-shortcut.ts';
import { compileProgram } from '../program.ts';
import { walkBackward, walkForward } from '../walk.ts';

/** The layer between others with weights, so that the gradients of its inputs show. Its inputs have numbers beyond -6 and 6. */
type Middle = (x: SymbolicTensor, other: SymbolicTensor) => SymbolicTensor;

const apply = (layer: layers.Layer, x: SymbolicTensor | SymbolicTensor[]) => layer.apply(x) as SymbolicTensor;

const LAYERS: [string, Middle][] = [
  ['DepthwiseConv2D', (x) => apply(layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }), x)],
  [
    'DepthwiseConv2D with a multiplier, strides and an activation',
    (x) => apply(layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, strides: 2, activation: 'tanh' }), x),
  ],
  [
    'DepthwiseConv2D without bias, dilated',
    (x) => apply(layers.depthwiseConv2d({ kernelSize: 2, dilationRate: 2, useBias: false, activation: 'tanh' }), x),
  ],
  [
    'Conv2DTranspose with an activation',
    (x) => apply(layers.conv2dTranspose({ filters: 2, kernelSize: 2, activation: 'tanh' }), x),
  ],
  ['Concatenate', (x, other) => apply(layers.concatenate(), [x, other, x])],
  ['Concatenate along the rows', (x, other) => apply(layers.concatenate({ axis: 1 }), [x, other])],
  ['ZeroPadShortcut', (x) => apply(new ZeroPadShortcut({ strides: 2, padChannels: [1, 2] }), x)],
  ['ReLU6', (x) => apply(layers.reLU({ maxValue: 6 }), x)],
  ['ReLU up to 3', (x) => apply(layers.reLU({ maxValue: 3 }), x)],
  ['Activation relu6', (x) => apply(layers.activation({ activation: 'relu6' }), x)],
  ['Activation gelu', (x) => apply(layers.activation({ activation: 'gelu' }), x)],
  ['LayerNormalization', (x) => apply(layers.layerNormalization({ epsilon: 1e-3 }), x)],
  ['LayerNormalization over two axes', (x) => apply(layers.layerNormalization({ axis: [2, 3] }), x)],
  ['Dense over channels', (x) => apply(layers.dense({ units: 5 }), x)],
  [
    'Dense without bias, over channels',
    (x) => apply(layers.dense({ units: 5, useBias: false, activation: 'gelu' }), x),
  ],
];

function around(middle: Middle): LayersModel {
  const image = layers.inputLayer({ inputShape: [6, 6, 3] }).output as SymbolicTensor;
  const before = apply(layers.conv2d({ name: 'before', filters: 4, kernelSize: 3 }), image);
  const beside = apply(layers.conv2d({ name: 'beside', filters: 4, kernelSize: 3 }), image);
  const flat = apply(layers.flatten(), middle(before, beside));
  const built = model({ inputs: image, outputs: apply(layers.dense({ units: 3 }), flat) });
  fillWeights(built, 3);
  return built;
}

eachEngine(() => {
  describe.each(LAYERS)('%s', (_, middle) => {
    it("computes what tf.layers computes, with the gradients of tfjs's tape", () => {
      const built = around(middle);
      tf.tidy(() => {
        const x = tf.tensor4d(
          randomNumbers(2 * 6 * 6 * 3, 7).map((value) => 4 * value),
          [2, 6, 6, 3],
        );
        const dy = tf.tensor2d(randomNumbers(2 * 3, 8), [2, 3]);
        const { grads } = tf.variableGrads(() => tf.sum(tf.mul(built.apply(x) as tf.Tensor, dy)) as tf.Scalar);
        const program = compileProgram(built);
        const walk = walkForward(program, x, { mode: 'training' });
        const expected = (built.predict(x) as tf.Tensor).dataSync();
        expect(largestDifference(walk.output.dataSync(), expected)).toBeLessThan(1e-4);
        const missing = new Set(built.trainableWeights.map((weight) => weight.name));
        walkBackward(program, walk, dy, {
          onWeight: ({ variable }, gradient) => {
            const byTape = grads[variable.name]!.dataSync();
            expect(largestDifference(gradient.dataSync(), byTape), variable.name).toBeLessThan(2e-4);
            missing.delete(variable.name);
          },
        });
        expect([...missing]).toEqual([]);
      });
      built.dispose();
    });
  });
});
