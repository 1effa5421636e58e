import '@tensorflow/tfjs-backend-cpu';
import { layers, model as layersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import { SelfAttention } from '../layers/self-attention.ts';
import { countCost } from './count-cost.ts';

const input = (shape: (number | null)[]) => layers.inputLayer({ inputShape: shape }).output as SymbolicTensor;

describe('countCost', () => {
  it('counts a network that fits on a sheet of paper', () => {
    const input = image(8, 3);
    const model = modelOf(
      input,
      chain(
        input,
        layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, padding: 'same' }),
        layers.batchNormalization({ name: 'norm' }),
        layers.reLU({ name: 'relu' }),
        layers.maxPooling2d({ name: 'pool', poolSize: 2 }),
        layers.flatten({ name: 'flatten' }),
        layers.dense({ name: 'logits', units: 10 }),
      ),
    );
    const cost = countCost(model);
    // 3*3*3 for each of 4*8*8 outputs, and 4*4*4 for each of 10.
    expect(cost.macs).toBe(27 * 256 + 64 * 10);
    expect(cost.parameters).toBe(27 * 4 + 4 + 4 + 4 + 64 * 10 + 10);
    // Convolution with bias, batch norm 2, relu 1, pool 2*2 per output, dense with bias.
    expect(cost.authorsFlops).toBe(55 * 256 + 2 * 256 + 256 + 4 * 64 + 129 * 10);
    expect(cost.layers.find((layer) => layer.name === 'conv')).toEqual({
      name: 'conv',
      className: 'Conv2D',
      outputShape: [null, 8, 8, 4],
      parameters: 112,
      macs: 6912,
      authorsFlops: 14080,
    });
    expect(cost.uncounted).toEqual([]);
  });

  it('counts strides, missing biases and activations inside layers', () => {
    const input = image(9, 2);
    const strided = layers.conv2d({ filters: 3, kernelSize: [1, 3], strides: 2, useBias: false, activation: 'relu' });
    const cost = countCost(modelOf(input, chain(input, strided)));
    expect(cost.macs).toBe(6 * 3 * 5 * 4);
    expect(cost.authorsFlops).toBe(12 * 60 + 60);
    expect(cost.parameters).toBe(18);
  });

  it.each<[string, SymbolicTensor, layers.Layer, { macs: number; parameters: number }]>([
    ['Conv1D', input([10, 3]), layers.conv1d({ filters: 4, kernelSize: 3 }), { macs: 8 * 4 * 9, parameters: 40 }],
    [
      'DepthwiseConv2D',
      image(8, 3),
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
      { macs: 36 * 6 * 9, parameters: 9 * 6 + 6 },
    ],
    [
      'SeparableConv2D',
      image(8, 3),
      layers.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2 }),
      { macs: 36 * (9 * 6 + 6 * 5), parameters: 9 * 6 + 6 * 5 + 5 },
    ],
    [
      // Each of 4 * 4 * 3 inputs goes to 3 * 3 places in 5 maps.
      'Conv2DTranspose',
      image(4, 3),
      layers.conv2dTranspose({ filters: 5, kernelSize: 3, strides: 2 }),
      { macs: 48 * 45, parameters: 3 * 45 + 5 },
    ],
    [
      // 7 tokens through three projections 4 -> 6 and one back, and twice 7 * 7 products of length 6.
      'SelfAttention',
      input([7, 4]),
      new SelfAttention({ heads: 3, headSize: 2 }),
      { macs: 7 * 4 * 24 + 2 * 49 * 6, parameters: 4 * 24 + 3 * 6 + 4 },
    ],
    ['Dense over tokens', input([7, 4]), layers.dense({ units: 5 }), { macs: 7 * 20, parameters: 25 }],
  ])('counts %s', (_, inputs, layer, { macs, parameters }) => {
    const cost = countCost(modelOf(inputs, chain(inputs, layer)));
    expect(cost).toMatchObject({ macs, parameters, uncounted: [] });
    expect(cost.authorsFlops).toBeGreaterThan(2 * macs);
  });

  it('counts the work of a layer at each of its places, and its parameters once', () => {
    const shared = layers.conv2d({ name: 'shared', filters: 3, kernelSize: 3, padding: 'same', useBias: false });
    const inside = input([null, null, 3]);
    const nested = layersModel({ inputs: inside, outputs: chain(inside, shared) });
    const outside = image(8, 3);
    const twice = nested.apply(nested.apply(outside)) as SymbolicTensor;
    expect(countCost(modelOf(outside, twice))).toMatchObject({ macs: 2 * 64 * 81, parameters: 81 });
  });

  it('lists layers that it cannot count', () => {
    const inputs = input([5, 3]);
    const cost = countCost(
      modelOf(inputs, chain(inputs, layers.lstm({ name: 'memory', units: 2, recurrentInitializer: 'glorotUniform' }))),
    );
    expect(cost.macs).toBe(0);
    expect(cost.parameters).toBe(8 * (3 + 2 + 1));
    expect(cost.uncounted).toEqual([{ layer: 'memory', className: 'LSTM' }]);
  });

  it('asks for a fixed input shape', () => {
    const anySize = input([null, null, 3]);
    const model = modelOf(anySize, chain(anySize, layers.conv2d({ name: 'conv', filters: 2, kernelSize: 3 })));
    expect(() => countCost(model)).toThrow("Layer 'conv' (Conv2D) has no fixed output size ([null, null, null, 2])");
  });
});
