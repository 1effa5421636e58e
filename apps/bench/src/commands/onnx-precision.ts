import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { count, counts } from '../arguments.ts';
import type { AccuracyRecord, AccuracyTask, LatencyRecord, LatencyTask } from '../onnx-precision/records.ts';
import { type MeasuredLatency, presentReport } from '../onnx-precision/report.ts';
import { addStudyOptions, Study, type StudyOptions } from '../study/study.ts';

interface OnnxPrecisionOptions extends StudyOptions {
  readonly model: string;
  readonly calibrationPerClass: number;
  readonly testPerClass?: number;
  readonly batches: readonly number[];
  readonly threads: readonly number[];
  readonly runs: number;
  readonly data?: string;
}

export function onnxPrecisionCommand(): Command {
  const command = new Command('onnx-precision')
    .description('accuracy and latency of a network for CIFAR-10 as ONNX in float32, float16 and int8')
    .requiredOption('--model <dir>', 'folder with its model.json, such as runs/quickstart/model')
    .option('--calibration-per-class <images>', 'training images of each class that int8 is calibrated on', count, 25)
    .option('--test-per-class <images>', 'take only so many test images of each class', count)
    .option('--batches <counts>', 'images in a batch', counts, [1, 8, 128])
    .option('--threads <counts>', 'threads of onnxruntime', counts, [1, 2])
    .option('--runs <count>', 'timed runs of each file at each setting', count, 100)
    .option('--data <dir>', 'folder of the official binary CIFAR-10 (default: downloaded once)');
  return addStudyOptions(command).action(onnxPrecision);
}

async function onnxPrecision({
  model,
  calibrationPerClass,
  testPerClass,
  batches,
  threads: threadCounts,
  runs,
  data,
  ...options
}: OnnxPrecisionOptions): Promise<void> {
  const weights = createHash('sha256').update(await readFile(join(model, 'weights.bin')));
  const images = { calibrationPerClass, ...(testPerClass !== undefined && { testPerClass }) };
  const study = await Study.open({ weights: weights.digest('hex').slice(0, 16), ...images, runs }, options);
  const files = study.folderOf('files');
  const task: AccuracyTask = {
    files,
    model: resolve(model),
    ...images,
    ...(data !== undefined && { data: resolve(data) }),
  };
  const accuracy = await study.measure<AccuracyRecord>('accuracy', 'onnx-precision-accuracy', task);
  const latencies: MeasuredLatency[] = [];
  for (const threads of threadCounts) {
    for (const batch of batches) {
      const name = `latency/threads-${threads}-batch-${batch}`;
      const timing: LatencyTask = { files, batch, threads, runs };
      latencies.push({
        batch,
        threads,
        files: await study.measure<LatencyRecord>(name, 'onnx-precision-latency', timing),
      });
    }
  }
  await study.publish({ accuracy, latencies }, presentReport);
}
