import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeModel } from '../src/graph/decode.ts';
import { checkOnnx, exportOnnx, readOnnxMetadata, toFloat16 } from '../src/index.ts';
import { toFloat16Bits } from '../src/precision/float16-number.ts';
import { operatorsThatRun } from './onnx-files.ts';
import { randomImages, randomise, runModel, runOnnx } from './oracle.ts';

/** What the bits mean, by the definition of IEEE 754. */
function fromBits(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

describe('float16 numbers', () => {
  it('come back, all of them', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromBits(bits);
      if (!Number.isNaN(value)) expect(toFloat16Bits(value)).toBe(bits);
    }
    expect(fromBits(toFloat16Bits(Number.NaN))).toBeNaN();
  });

  it('are the nearest, and of two equally near the even one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7bfe }), fc.float({ min: 0, max: 1, noNaN: true }), (bits, share) => {
        const [below, above] = [fromBits(bits), fromBits(bits + 1)];
        const value = Math.fround(below + share * (above - below));
        const middle = (below + above) / 2;
        const even = bits % 2 === 0 ? bits : bits + 1;
        expect(toFloat16Bits(value)).toBe(value < middle ? bits : value > middle ? bits + 1 : even);
        expect(toFloat16Bits(Math.fround(middle))).toBe(even);
      }),
      { seed: 1 },
    );
    expect([65519, 65520, 1e9, -1e9].map(toFloat16Bits)).toEqual([0x7bff, 0x7c00, 0x7c00, 0xfc00]);
  });
});

function network() {
  const model = sequential({
    layers: [
      layers.conv2d({ name: 'conv', inputShape: [8, 8, 3], filters: 16, kernelSize: 3 }),
      layers.batchNormalization({ name: 'norm' }),
      layers.reLU({ name: 'relu', maxValue: 6 }),
      layers.flatten({ name: 'flat' }),
      layers.dense({ name: 'fc', units: 8 }),
    ],
  });
  randomise(model, 2);
  return model;
}

describe('toFloat16', () => {
  it.each([false, true])('halves the file and keeps the answers, activations %s', async (activations) => {
    const model = network();
    const bytes = await exportOnnx(model, { softmax: true, accuracy: 0.9 });
    const half = await toFloat16(bytes, { activations });
    expect(half.length / bytes.length).toBeLessThan(0.6);
    expect(readOnnxMetadata(half)).toMatchObject({
      input: readOnnxMetadata(bytes).input,
      output: readOnnxMetadata(bytes).output,
      properties: { precision: activations ? 'float16' : 'float16 weights', accuracy_float32: '0.9' },
    });
    expect(readOnnxMetadata(half)).not.toHaveProperty('accuracy');
    const types = checkOnnx(half);
    expect([types.get('input')!.type, types.get('probabilities')!.type]).toEqual(['float32', 'float32']);
    expect(types.get('conv')!.type).toBe(activations ? 'float16' : 'float32');

    const images = randomImages(model, 5);
    const [wide, narrow] = [await runOnnx(bytes, images), await runOnnx(half, images)];
    const differences = wide.map((value, i) => Math.abs(value - narrow[i]!));
    expect(Math.max(...differences)).toBeLessThan(0.02);
    expect(Math.max(...differences)).toBeGreaterThan(0);
    model.dispose();
  });

  it('stores each weight rounded to the nearest float16', async () => {
    const model = sequential({ layers: [layers.dense({ inputShape: [4], units: 4, useBias: false })] });
    randomise(model, 3);
    const bytes = await toFloat16(await exportOnnx(model));
    const eye = { data: Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)), shape: [4, 4] };
    const rounded = runModel(model, eye).map((weight) => fromBits(toFloat16Bits(weight)));
    expect(await runOnnx(bytes, eye)).toEqual(rounded);
    model.dispose();
  });

  it('onnxruntime widens stored weights when it loads them: no cast is left to run', async () => {
    const model = network();
    const half = await toFloat16(await exportOnnx(model));
    const casts = decodeModel(half).graph!.node!.filter(({ opType }) => opType === 'Cast');
    expect(casts.map(({ output }) => output![0])).toEqual(['conv/kernel', 'conv/bias', 'fc/kernel']);
    expect(await operatorsThatRun(half)).not.toContain('Cast');
    expect(await operatorsThatRun(await toFloat16(await exportOnnx(model), { activations: true }))).toContain('Cast');
    model.dispose();
  });

  it('names weights that are too large', async () => {
    const model = sequential({ layers: [layers.dense({ name: 'fc', inputShape: [2], units: 8 })] });
    const kernel = tf.tensor(new Float32Array(16).fill(7e4), [2, 8]);
    model.layers[0]!.setWeights([kernel, tf.zeros([8])]);
    const bytes = await exportOnnx(model);
    await expect(toFloat16(bytes)).rejects.toThrow(/weights of at most 65504, .* but 'fc\/kernel' hold larger ones/);
    model.dispose();
  });
});
