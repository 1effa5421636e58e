import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { readOnnxMetadata, writeOnnx } from '@secateur/export';
import { uNet, vgg11 } from '@secateur/models';
import { input, layers, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveModel } from '../src/run/model-folder.ts';
import { secateur } from './run-secateur.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

let folder: string;
let data: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secateur-onnx-'));
  data = await writeTinyCifar10({ perFile: 2 });
  const model = vgg11({ width: 1 / 8, seed: 1 });
  await saveModel(model, at('vgg'));
  model.dispose();
});
afterAll(() => rm(folder, { recursive: true }));

async function exported(model: string, file: string, ...flags: readonly string[]) {
  const common = ['--out', at(file), '--engine', 'cpu', '--json'];
  const { code, stdout, stderr } = await secateur('export', at(model), ...common, ...flags);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe('--precision', () => {
  it.each([
    ['int8', 3.5],
    ['float16', 1.9],
    ['float16-activations', 1.9],
  ])('%s: a smaller file, and accuracy and latency of both', async (precision, timesSmaller) => {
    const calibration = ['--calibration-images', '30', '--calibration-range', '99.9', '--weight-bits', '7'];
    const flags = ['--data', data, '--images', '20', '--precision', precision, ...calibration];
    const { precisions, verification, madeUpImages, bytes, realImages } = await exported(
      'vgg',
      `${precision}.onnx`,
      ...flags,
    );
    for (const each of [verification, madeUpImages]) expect(each).toMatchObject({ passed: true, images: 20 });
    expect(realImages).toBe(true);
    const [wide, narrow] = precisions;
    expect([wide.precision, narrow.precision]).toEqual(['float32', precision]);
    expect(wide.bytes / narrow.bytes).toBeGreaterThan(timesSmaller);
    expect(bytes).toBe(narrow.bytes);
    expect((await stat(at(`${precision}.onnx`))).size).toBe(bytes);
    expect(wide).toMatchObject({ accuracy: verification.accuracy.onnx, sameClass: 1 });

    // `evaluate` finds in the written file what was told of it.
    const evaluation = await secateur('evaluate', at(`${precision}.onnx`), '--data', data, '--json');
    expect(evaluation.code, evaluation.stderr).toBe(0);
    expect(JSON.parse(evaluation.stdout)).toMatchObject({ images: 20, accuracy: narrow.accuracy });
    for (const { medianMs, p95Ms } of precisions) expect(p95Ms).toBeGreaterThanOrEqual(medianMs);
    const { properties } = readOnnxMetadata(await readFile(at(`${precision}.onnx`)));
    if (precision === 'int8') {
      expect(JSON.parse(properties.calibration!)).toEqual({ images: 30, range: { percentile: 99.9 }, weightBits: 7 });
    }
  });

  it('leaves named nodes in float32, and prints a table', async () => {
    const flags = ['--data', data, '--images', '2', '--precision', 'int8', '--calibration-images', '10'];
    const command = ['export', at('vgg'), '--out', at('kept.onnx'), '--engine', 'cpu', ...flags];
    const { code, stdout } = await secateur(...command, '--keep-float32', 'conv1,conv2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ONNX file in onnxruntime agrees on 2 images: .*same class on 2\.$/m);
    expect(stdout).toMatch(/^ONNX file in onnxruntime agrees on 2 images: .* \(made-up images\)\.$/m);
    expect(stdout).toMatch(/^precision +file +accuracy +same class +one image +p95$/m);
    expect(stdout).toMatch(/^int8 +\S+ [kM]B +\d+\.\d\d % +\d+\.\d\d % +\S+ ms +\S+ ms$/m);
    const unknown = await secateur(...command, '--keep-float32', 'conv99');
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('none called conv99') });
  });

  it('refuses wrong precisions, rules and widths', async () => {
    const refused = async (message: string, ...flags: readonly string[]) =>
      expect(await secateur('export', at('vgg'), ...flags)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(message),
      });
    await refused('int8', '--precision', 'int4');
    await refused('a percentile above 50 and at most 100', '--calibration-range', '20');
    await refused('Choose from: 7, 8', '--weight-bits', '4');
  });
});

it('--external-data-over puts weights beside the file, of int8 too', async () => {
  const split = ['--data', data, '--images', '2', '--external-data-over', '1000'];
  const whole = await exported('vgg', 'split.onnx', ...split);
  expect(whole.verification.passed).toBe(true);
  const dataSize = (await stat(at('split.onnx.data'))).size;
  expect(whole.externalFiles).toEqual([{ file: at('split.onnx.data'), bytes: dataSize }]);
  expect(dataSize).toBeGreaterThan(whole.bytes);
  const shown = await secateur('export', at('vgg'), '--out', at('split.onnx'), '--engine', 'cpu', ...split);
  expect(shown.stdout).toContain('split.onnx.data: ');
  const int8 = await exported('vgg', 'split-int8.onnx', ...split, '--precision', 'int8', '--calibration-images', '10');
  expect(int8.precisions[1].bytes).toBeGreaterThan(int8.bytes);
  expect((await readdir(folder)).filter((name) => name.startsWith('split')).toSorted()).toEqual([
    'split-int8.onnx',
    'split-int8.onnx.data',
    'split.onnx',
    'split.onnx.data',
  ]);
  const evaluation = await secateur('evaluate', at('split-int8.onnx'), '--data', data, '--json');
  expect(evaluation.code, evaluation.stderr).toBe(0);
});

describe('a network that does not say on what it was trained', () => {
  it('is not taken for one of CIFAR-10, though it takes such images', async () => {
    const { realImages, externalFiles } = await exported('vgg', 'unknown.onnx', '--images', '2');
    expect(realImages).toBe(false);
    expect(externalFiles).toBeUndefined();
    const { classNames, mean } = readOnnxMetadata(await readFile(at('unknown.onnx')));
    expect({ classNames, mean }).toEqual({ classNames: undefined, mean: undefined });

    const refused = async (...flags: readonly string[]) => {
      const { code, stderr } = await secateur('export', at('vgg'), '--images', '2', '--engine', 'cpu', ...flags);
      expect(code).toBe(2);
      return stderr;
    };
    const message = "of the network's classes: name their folder with --data.";
    expect(await refused('--precision', 'int8')).toContain(message);
    expect(await refused('--preprocess')).toContain('Give --image-mean and --image-std.');
    expect(await refused('--preprocess', '--image-mean', '0.5')).toContain('belong together');
  });

  it('takes pixels by the statistics that the user gives', async () => {
    const statistics = ['--image-mean', '0.5,0.25,0.125', '--image-std', '0.5,1,0.25'];
    const flags = ['--images', '2', '--preprocess', ...statistics];
    expect((await exported('vgg', 'pixels.onnx', ...flags)).verification).toMatchObject({ passed: true, images: 2 });
    const { mean, std, input, output } = readOnnxMetadata(await readFile(at('pixels.onnx')));
    expect({ mean, std }).toEqual({ mean: [0.5, 0.25, 0.125], std: [0.5, 1, 0.25] });
    expect(input).toEqual({ name: 'input', dims: ['batch', 32, 32, 3], type: 'uint8' });
    expect(output.name).toBe('probabilities');
  });

  it('keeps the history that its ONNX file tells', async () => {
    const model = vgg11({ width: 1 / 16, seed: 1 });
    const history = { accuracy: 0.75, pruning: [{ removedFilters: 3, macs: 5, accuracy: 0.7 }] };
    await writeOnnx(model, at('history.onnx'), history);
    model.dispose();
    await exported('history.onnx', 'again.onnx', '--images', '2');
    expect(readOnnxMetadata(await readFile(at('again.onnx')))).toMatchObject(history);
  });
});

describe('networks that are no plain classifiers', () => {
  it('labels of pixels, and several inputs, are compared on made-up numbers', async () => {
    const segmenter = uNet({ levels: 1, width: 0.25, inputShape: [8, 8, 3], classes: 4, seed: 3 });
    await saveModel(segmenter, at('segmenter'));
    const labelled = await exported('segmenter', 'segmenter.onnx', '--images', '3');
    expect(labelled.verification).toMatchObject({ passed: true, images: 3, predictions: 192, sameClass: 192 });
    expect(labelled.realImages).toBe(false);

    const [image, facts] = [input({ shape: [4, 4, 2], name: 'image' }), input({ shape: [3], name: 'facts' })];
    const flat = layers.flatten().apply(image) as SymbolicTensor;
    const joined = layers.concatenate().apply([flat, facts]);
    const outputs = ['a', 'b'].map((name) => layers.dense({ name, units: 2 }).apply(joined) as SymbolicTensor);
    await saveModel(modelOf({ inputs: [image, facts], outputs }), at('joined'));
    const { verification } = await exported('joined', 'joined.onnx', '--images', '5');
    expect(verification).toMatchObject({ passed: true, images: 5, predictions: 10, sameClass: 10 });
  });
});
