import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import { exportOnnx } from '@secateur/export';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { attachTrainingData, saveModel } from '../src/run/model-folder.ts';
import { secateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

const CIFAR10 = 'airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck'.split(',');
const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../packages/export/test/fixtures/${name}`, import.meta.url));

function network(filters: number) {
  return sequential({
    layers: [
      layers.conv2d({ name: 'conv1', inputShape: [32, 32, 3], filters, kernelSize: 3, strides: 2, activation: 'relu' }),
      layers.conv2d({ name: 'conv2', filters, kernelSize: 3, strides: 2, activation: 'relu' }),
      layers.globalAveragePooling2d({ name: 'pool' }),
      layers.dense({ name: 'logits', units: 10 }),
    ],
  });
}

let folder: string;
let data: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-'));
  data = await writeTinyCifar10({ perFile: 2 });
});

describe('evaluate', () => {
  // Not those of CIFAR-10, so that forgetting them shows.
  const trainedOn = { classNames: CIFAR10, mean: [0.3, 0.4, 0.5], std: [0.1, 0.2, 0.4] };
  const evaluate = (file: string) => secateur('evaluate', file, '--data', data, '--engine', 'cpu', '--json');

  it('says of an ONNX file what it says of the network, however the file takes its images', async () => {
    const model = network(8);
    attachTrainingData(model, trainedOn);
    await saveModel(model, join(folder, 'model'));
    const expected = JSON.parse((await evaluate(join(folder, 'model'))).stdout);
    expect(expected.images).toBe(20);
    const kinds = {
      plain: [],
      probabilities: ['--softmax'],
      'channels-last': ['--input-layout', 'NHWC'],
      pixels: ['--preprocess'],
    };
    for (const [kind, flags] of Object.entries(kinds)) {
      const file = join(folder, `${kind}.onnx`);
      const to = ['--out', file, '--no-verify', '--engine', 'cpu'];
      expect(await secateur('export', join(folder, 'model'), ...to, ...flags)).toMatchObject({ code: 0 });
      const { code, stdout, stderr } = await evaluate(file);
      expect(code, stderr).toBe(0);
      expect(stderr).not.toContain('standardised');
      const { loss, confusion, accuracy } = JSON.parse(stdout);
      expect({ confusion, accuracy }, kind).toEqual({ confusion: expected.confusion, accuracy: expected.accuracy });
      expect(loss).toBeCloseTo(expected.loss, 4);
    }
  });

  it('says which statistics a file gets that names none, in whatever units others name theirs', async () => {
    const model = network(4);
    const write = async (name: string, options: Parameters<typeof exportOnnx>[1]) => {
      await writeFile(join(folder, name), await exportOnnx(model, options));
      return join(folder, name);
    };
    const silent = await evaluate(await write('silent.onnx', {}));
    expect(silent.stderr).toContain("silent.onnx' does not say how its pixels are standardised: it gets the mean");
    const { mean, std } = trainedOn;
    const of255 = { mean: mean.map((value) => 255 * value), std: std.map((value) => 255 * value), inputScale: 1 };
    const [one, other] = [
      await write('of-1.onnx', { mean, std, inputScale: 1 / 255 }),
      await write('of-255.onnx', of255),
    ];
    const [a, b] = [await evaluate(one), await evaluate(other)].map(({ stdout }) => JSON.parse(stdout).loss);
    expect(a).toBeCloseTo(b, 5);
    expect(a).not.toBeCloseTo(JSON.parse(silent.stdout).loss, 3);
  });

  it('names a file that is none', async () => {
    await writeFile(join(folder, 'text.onnx'), 'hello');
    const reasonOf = async (name: string) => (await evaluate(join(folder, name))).stderr.trim().split('\n').at(-1);
    expect(await reasonOf('text.onnx')).toMatch(/^error: '.*text\.onnx' \(5 bytes\): expected an ONNX model/);
    expect(await reasonOf('nowhere.onnx')).toMatch(/^error: The ONNX file '.*nowhere\.onnx' could not be read: ENOENT/);
  });

  it('refuses a file of other images in one line', async () => {
    const { code, stderr } = await evaluate(fixture('flattened.onnx'));
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^error: Expected '.*flattened\.onnx' to take images of 32 x 32 x 3, .* but 'images' is \[batch, 3, 9, 7\]\. Give images of its size\.$/,
    );
  });
});

describe('bench-onnx', () => {
  it('times two files at every setting and tells the ratios, as text and as JSON', async () => {
    const files: string[] = [];
    for (const filters of [32, 9]) {
      files.push(join(folder, `bench-${filters}.onnx`));
      await writeFile(files.at(-1)!, await exportOnnx(network(filters)));
    }
    const settings = ['--batch', '1,3', '--threads', '1,2', '--runs', '3', '--warmup', '1'];
    const { code, stdout } = await secateur('bench-onnx', ...files, ...settings, '--json');
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    const macs = (filters: number) => 15 * 15 * 27 * filters + 7 * 7 * 9 * filters ** 2 + 10 * filters;
    expect(report.macs).toEqual({ dense: macs(32), pruned: macs(9), ratio: macs(32) / macs(9) });
    expect(report.measurements.map(({ threads, batchSize }: Record<string, number>) => [threads, batchSize])).toEqual([
      [1, 1],
      [1, 3],
      [2, 1],
      [2, 3],
    ]);
    for (const { dense, pruned, speedup, realised } of report.measurements) {
      expect(dense.p95Ms).toBeGreaterThanOrEqual(dense.medianMs);
      expect(speedup).toBe(dense.medianMs / pruned.medianMs);
      expect(realised).toBe(speedup / report.macs.ratio);
    }
    expect(report.partialBlocks[0]).toMatchObject({ name: 'conv2', inputs: 9, filters: 9 });

    const text = await secateur('bench-onnx', ...files, ...settings);
    expect(text.stdout).toMatch(/^MACs of an image +646 k +90\.5 k +7\.14 x$/m);
    expect(text.stdout).toMatch(/^ +2 +3( +[\d.,]+ ms +[\d.,]+ ms +[\d,]+){2} +[\d.]+ x +\d+ %$/m);
  });

  it('says what is wrong with a file, and with a setting', async () => {
    const { code, stderr } = await secateur('bench-onnx', fixture('vgg16-bn.onnx'), join(folder, 'nowhere.onnx'));
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^error: The ONNX file '.*nowhere\.onnx' could not be read: ENOENT/,
    );
    const wrong = await secateur('bench-onnx', 'a.onnx', 'b.onnx', '--batch', '1,x');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(
      /It must be whole numbers of at least 1 with commas between them, such as 1,8,128\.$/m,
    );
  });
});
