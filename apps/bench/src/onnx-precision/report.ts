import { percent, short, signed } from '../format.ts';
import type { Presentation } from '../study/study.ts';
import { formatTable } from '../table.ts';
import { type AccuracyRecord, FILE_NAMES, type LatencyRecord } from './records.ts';

export interface MeasuredLatency {
  readonly batch: number;
  readonly threads: number;
  readonly files: LatencyRecord;
}

export interface OnnxPrecisionReport {
  readonly accuracy: AccuracyRecord;
  readonly latencies: readonly MeasuredLatency[];
}

export function presentReport({ accuracy, latencies }: OnnxPrecisionReport): Presentation {
  const { testImages, files } = accuracy;
  const sizes = FILE_NAMES.map((name) => {
    const { bytes, accuracy: share, sameClass } = files[name];
    const lost = name === 'float32' ? '' : signed(share - files.float32.accuracy);
    return [name, `${(bytes / 1e6).toFixed(2)} MB`, percent(share), lost, percent(sameClass)];
  });
  const headings = latencies.map(
    ({ batch, threads }) => `batch ${batch}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  );
  const speeds = FILE_NAMES.map((name) => [
    name,
    ...latencies.map(({ files: measured }) => {
      const { medianMs, imagesPerSecond } = measured[name];
      const ratio = (measured.float32.medianMs / medianMs).toFixed(2);
      return `${short(medianMs)} ms, ${Math.round(imagesPerSecond)}/s, ${ratio} x`;
    }),
  ]);
  const text = [
    `${testImages} test images; the network itself classifies ${percent(accuracy.accuracy)} correctly`,
    '',
    formatTable(['file', 'size', 'accuracy', 'points', 'same class as the network'], sizes),
    '',
    'Median time of a batch in onnxruntime, images a second, and how many times as fast as float32',
    '',
    formatTable(['file', ...headings], speeds),
  ].join('\n');
  return { text, plots: {} };
}
