import { countCost } from '@secateur/core';
import { mobileNetV2, resnet, vgg11 } from '@secateur/models';
import { expect, it } from 'vitest';
import { countOnnxMacs, exportOnnx, quantise } from '../src/index.ts';
import { float32, sketch } from './onnx-files.ts';
import { randomImages } from './oracle.ts';

it.each([
  ['VGG-11', () => vgg11({ width: 1 / 16 })],
  ['ResNet-20', () => resnet({ depth: 20, width: 0.25 })],
  ['MobileNetV2', () => mobileNetV2({ width: 0.25 })],
])('%s: as many as the layers have, in int8 too', async (_name, build) => {
  const model = build();
  const bytes = await exportOnnx(model);
  const { macs, nodes } = await countOnnxMacs(bytes);
  expect(macs).toBe(countCost(model).macs);
  expect(nodes.reduce((sum, node) => sum + node.macs, 0)).toBe(macs);
  const images = randomImages(model, 1);
  const int8 = await quantise(bytes, { images: images.data, shape: images.shape });
  expect(await countOnnxMacs(int8)).toEqual({ macs, nodes });
  model.dispose();
});

it('counts products of what is computed, and transposed and grouped convolutions, by hand', async () => {
  const file = sketch({
    inputs: { x: ['batch', 4, 5, 5] },
    constants: { w: float32([6, 2, 3, 3]), t: float32([6, 1, 2, 2]), m: float32([6, 7]) },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['a'], attributes: { group: 2 } },
      { op: 'ConvTranspose', inputs: ['a', 't'], outputs: ['b'], attributes: { group: 3, strides: [2, 2] } },
      { op: 'MatMul', inputs: ['b', 'm'], outputs: ['c'] },
    ],
    outputs: ['c'],
  });
  expect((await countOnnxMacs(file)).nodes).toEqual([
    { name: 'Conv0', opType: 'Conv', macs: 6 * 2 * 9 * 9, inputs: 4, filters: 6, group: 2 },
    { name: 'ConvTranspose1', opType: 'ConvTranspose', macs: 6 * 4 * 9, inputs: 6, filters: 3, group: 3 },
    { name: 'MatMul2', opType: 'MatMul', macs: 3 * 6 * 7 * 6, inputs: 6, filters: 7, group: 1 },
  ]);
});

it.each(['batch', 4])('counts one image, at a batch of %s', async (batch) => {
  const file = sketch({
    inputs: { x: [batch, 4, 5, 5] },
    constants: { w: float32([4, 4, 5, 5]), m: float32([4, 4]), b: float32([4]) },
    nodes: [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['a'] },
      { op: 'Flatten', inputs: ['a'], outputs: ['flat'] },
      { op: 'Gemm', inputs: ['flat', 'm', 'b'], outputs: ['c'] },
      { op: 'MatMul', inputs: ['c', 'm'], outputs: ['d'] },
    ],
    outputs: ['d'],
  });
  expect((await countOnnxMacs(file)).nodes.map(({ macs }) => macs)).toEqual([4 * 4 * 25, 16, 16]);
});

it('says which size cannot be known', async () => {
  const file = sketch({
    inputs: { x: ['batch', 4, 'height', 5] },
    constants: { w: float32([6, 4, 3, 3]) },
    nodes: [{ op: 'Conv', inputs: ['x', 'w'], outputs: ['y'] }],
    outputs: ['y'],
  });
  await expect(countOnnxMacs(file)).rejects.toThrow(/sizes of 'y' at node 'Conv0' that are fixed/);
});
