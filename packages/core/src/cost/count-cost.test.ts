import '@tensorflow/tfjs-backend-cpu';
import { layers } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import { countCost } from './count-cost.ts';

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

  it('lists layers that it cannot count', () => {
    const input = image(8, 3);
    const cost = countCost(modelOf(input, chain(input, layers.depthwiseConv2d({ name: 'deep', kernelSize: 3 }))));
    expect(cost.macs).toBe(0);
    expect(cost.parameters).toBe(30);
    expect(cost.uncounted).toEqual([{ layer: 'deep', className: 'DepthwiseConv2D' }]);
  });

  it('asks for a fixed input shape', () => {
    const input = layers.inputLayer({ inputShape: [null, null, 3] }).output as ReturnType<typeof image>;
    const model = modelOf(input, chain(input, layers.conv2d({ name: 'conv', filters: 2, kernelSize: 3 })));
    expect(() => countCost(model)).toThrow("Layer 'conv' (Conv2D) has no fixed output size ([null, null, null, 2])");
  });
});
