// Exports a network in each precision, and classifies the test images of CIFAR-10 with each file.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CIFAR10_STATISTICS, createBatchSource, pickPerClass } from '@secateur/data';
import { exportOnnx, quantise, toFloat16, verify } from '@secateur/export';
import { readAll } from '../array-source.ts';
import { readCifar10 } from '../cifar10.ts';
import {
  type AccuracyRecord,
  type AccuracyTask,
  FILE_NAMES,
  FILES,
  type FileAccuracy,
  type FileName,
  fileOf,
} from '../onnx-precision/records.ts';
import { answer } from '../study/answer.ts';
import { loadModel } from '../study/model-files.ts';

const BATCH = 100;

await answer(async (task: AccuracyTask): Promise<AccuracyRecord> => {
  const { files: folder, calibrationPerClass, testPerClass, data } = task;
  const model = await loadModel(task.model);
  const { train, test } = await readCifar10({ testPerClass, data });
  const standardised = async (images: typeof train) => {
    const source = createBatchSource(images, { batchSize: BATCH, ...CIFAR10_STATISTICS });
    const { images: pixels, labels, shape } = await readAll(source);
    await source.close();
    return { images: pixels, labels, shape: [labels.length, ...shape] };
  };
  const { images, shape } = await standardised(pickPerClass(train, { perClass: calibrationPerClass, seed: 0 }));
  const shown = await standardised(test);

  const float32 = await exportOnnx(model);
  const write = async (name: FileName) => {
    const how: { float16?: object; int8?: object } = FILES[name];
    if (how.float16) return toFloat16(float32, how.float16);
    return how.int8 ? quantise(float32, { images, shape, ...how.int8 }) : float32;
  };
  await mkdir(folder, { recursive: true });
  const files = {} as Record<FileName, FileAccuracy>;
  let ownAccuracy = Number.NaN;
  for (const name of FILE_NAMES) {
    const onnx = await write(name);
    await writeFile(join(folder, fileOf(name)), onnx);
    // Lower precision is not held to the tolerance of a faithful export.
    const tolerance = name === 'float32' ? 1e-4 : Number.MAX_VALUE;
    const { accuracy, sameClass, predictions, passed } = await verify(model, onnx, { ...shown, tolerance });
    if (!passed) throw new Error(`The float32 file disagrees with the network.`);
    ownAccuracy = accuracy!.model;
    files[name] = { bytes: onnx.length, accuracy: accuracy!.onnx, sameClass: sameClass / predictions };
  }
  return { testImages: shown.labels.length, accuracy: ownAccuracy, files };
});
