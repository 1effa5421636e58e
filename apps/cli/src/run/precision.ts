import {
  measureLatency,
  type NetworkInputs,
  type QuantiseOptions,
  quantise,
  toFloat16,
  verify,
} from '@secateur/export';
import type { LayersModel } from '@tensorflow/tfjs-layers';

export const PRECISIONS = ['float32', 'float16', 'float16-activations', 'int8'] as const;

/** How an ONNX file stores its weights and, from float16-activations on, computes. */
export type Precision = (typeof PRECISIONS)[number];

/** One file: what it costs, and what it gets right. */
export interface PrecisionReport {
  readonly precision: Precision;
  readonly bytes: number;
  /** Share of the images classified as labelled; null without labels. */
  readonly accuracy: number | null;
  /** Share of the predictions that are the network's own; null without images. */
  readonly sameClass: number | null;
  /** Milliseconds for one image in onnxruntime. */
  readonly medianMs: number;
  readonly p95Ms: number;
}

/** Images to compare on; without labels, where they are made up. */
export type Sample = NetworkInputs & { readonly labels?: Int32Array };

/** @param calibration Asked for int8 alone: the images that show which range each activation has. */
export async function reducePrecision(
  onnx: Uint8Array,
  precision: Exclude<Precision, 'float32'>,
  calibration: () => Promise<QuantiseOptions>,
): Promise<Uint8Array> {
  if (precision === 'int8') return quantise(onnx, await calibration());
  return toFloat16(onnx, { activations: precision === 'float16-activations' });
}

/** Runs the network's files on the same images, and times them in turn, one image at a time. */
export async function comparePrecisions(
  model: LayersModel,
  files: readonly { readonly precision: Precision; readonly onnx: Uint8Array }[],
  { sample, threads }: { sample?: Sample | undefined; threads?: number | undefined },
): Promise<PrecisionReport[]> {
  const latencies = await measureLatency(
    files.map(({ onnx }) => onnx),
    threads === undefined ? {} : { threads },
  );
  const reports: PrecisionReport[] = [];
  for (const [i, { precision, onnx }] of files.entries()) {
    const { bytes, medianMs, p95Ms } = latencies[i]!;
    // Lower precision is not held to the tolerance of a faithful export.
    const agreement = sample && (await verify(model, onnx, { ...sample, tolerance: Number.MAX_VALUE }));
    reports.push({
      precision,
      bytes,
      accuracy: agreement?.accuracy?.onnx ?? null,
      sameClass: agreement ? agreement.sameClass / agreement.predictions : null,
      medianMs,
      p95Ms,
    });
  }
  return reports;
}
