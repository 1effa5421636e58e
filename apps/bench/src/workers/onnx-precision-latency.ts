// Times the files of a network in turn in onnxruntime.
import { join } from 'node:path';
import { measureLatency } from '@secateur/export';
import { FILE_NAMES, fileOf, type LatencyRecord, type LatencyTask } from '../onnx-precision/records.ts';
import { answer } from '../study/answer.ts';

await answer(async ({ files, batch, threads, runs }: LatencyTask): Promise<LatencyRecord> => {
  const paths = FILE_NAMES.map((name) => join(files, fileOf(name)));
  const latencies = await measureLatency(paths, { batchSize: batch, threads, runs });
  const entries = latencies.map(({ medianMs, p95Ms, imagesPerSecond }, i) => [
    FILE_NAMES[i]!,
    { medianMs, p95Ms, imagesPerSecond },
  ]);
  return Object.fromEntries(entries);
});
