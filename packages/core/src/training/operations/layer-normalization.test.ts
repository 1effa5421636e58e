import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { largestDifference } from '../../../test/support/numbers.ts';
import { randomNumbers } from '../../../test/support/synthetic.ts';
import { layerNormalization } from './layer-normalization.ts';

// tfjs's tape cannot do these: its gradient of batch norm fails without a scale or an offset.
it.each([
  ['scale', { scale: false }, 1],
  ['offset', { center: false }, 0],
] as const)('without %s, computes and passes back what it does with that at its start', (_, config, kept) => {
  tf.tidy(() => {
    const x = tf.tensor3d(randomNumbers(2 * 4 * 5, 1), [2, 4, 5]);
    const dy = tf.tensor3d(randomNumbers(2 * 4 * 5, 2), [2, 4, 5]);
    const compute = (layer: layers.Layer) => {
      const tokens = layers.inputLayer({ inputShape: [4, 5] }).output as SymbolicTensor;
      layer.apply(tokens);
      const { output, backward } = layerNormalization(layer).forward([x], 'training');
      const { inputs, weights } = backward(dy, { inputs: true, weights: true });
      return [output, ...inputs, ...weights].map((tensor) => tensor.dataSync());
    };
    const [output, dx, ...weights] = compute(layers.layerNormalization(config));
    const [fullOutput, fullDx, ...fullWeights] = compute(layers.layerNormalization());
    expect(largestDifference(output!, fullOutput!)).toBeLessThan(1e-6);
    expect(largestDifference(dx!, fullDx!)).toBeLessThan(1e-6);
    expect(weights).toHaveLength(1);
    expect(largestDifference(weights[0]!, fullWeights[kept]!)).toBeLessThan(1e-6);
    expect(Math.max(...fullDx!.map(Math.abs))).toBeGreaterThan(0.1);
  });
});
