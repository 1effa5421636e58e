import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@secateur/tfjs-backend-torch';
import { readOnnxMetadata } from '@secateur/export';
import { vgg11 } from '@secateur/models';
import { expect, test } from 'vitest';
import { FILE_NAMES, fileOf } from '../src/onnx-precision/records.ts';
import type { OnnxPrecisionReport } from '../src/onnx-precision/report.ts';
import { saveModel } from '../src/study/model-files.ts';
import { runStudy } from './study-folder.ts';
import { writeTinyCifar10 } from './tiny-cifar.ts';

test('bench onnx-precision: files of all precisions, on the same images and in turn', async () => {
  const data = await writeTinyCifar10();
  const model = await mkdtemp(join(tmpdir(), 'secateur-model-'));
  await saveModel(vgg11({ width: 1 / 16, seed: 2 }), model);
  const settings = ['--batches', '1,3', '--threads', '1', '--runs', '2', '--calibration-per-class', '2'];
  const options = ['--model', model, '--data', data, '--test-per-class', '2', ...settings];
  const { report, text, out } = await runStudy<OnnxPrecisionReport>('onnx-precision', options, []);
  const { testImages, accuracy, files } = report.accuracy;
  expect(testImages).toBe(20);
  expect(Object.keys(files)).toEqual(FILE_NAMES);
  expect(files.float32).toMatchObject({ accuracy, sameClass: 1 });
  for (const name of FILE_NAMES) {
    const bytes = await readFile(join(out, 'files', fileOf(name)));
    expect(bytes.length).toBe(files[name].bytes);
    const { precision = 'float32', calibration } = readOnnxMetadata(bytes).properties;
    expect(name.startsWith(precision.slice(0, 7))).toBe(true);
    if (calibration)
      expect(JSON.parse(calibration)).toMatchObject({ images: 20, weightBits: name.includes('7') ? 7 : 8 });
    expect(20 * files[name].accuracy).toBeCloseTo(Math.round(20 * files[name].accuracy), 9);
  }
  expect(files.float32.bytes / files.int8.bytes).toBeGreaterThan(2.5);
  expect((await readdir(join(out, 'files'))).length).toBe(FILE_NAMES.length);
  expect(report.latencies.map(({ batch, threads }) => [batch, threads])).toEqual([
    [1, 1],
    [3, 1],
  ]);
  for (const { batch, files: measured } of report.latencies) {
    for (const { medianMs, p95Ms, imagesPerSecond } of Object.values(measured)) {
      expect(p95Ms).toBeGreaterThanOrEqual(medianMs);
      expect(imagesPerSecond).toBeCloseTo((1000 * batch) / medianMs, 6);
    }
  }
  expect(text).toMatch(/^int8 +\d\.\d\d MB +\d+\.\d\d % +[+-]\d+\.\d\d +\d+\.\d\d %$/m);
  expect(text).toMatch(/^float32( +\S+ ms, \d+\/s, 1\.00 x){2}$/m);
});
