import { decodeModel } from '../graph/decode.ts';
import { encode } from '../graph/encode.ts';
import { feed } from '../runtime/feed.ts';
import { type ImageBatch, inSteps } from '../runtime/network-inputs.ts';
import { openModel } from '../runtime/session.ts';

/** Between which numbers the values of a tensor lie, or most of them. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/** All values that were seen, or this percentage of them at either end, such as 99.99. */
export type RangeRule = 'min-max' | { readonly percentile: number };

export interface CalibrationOptions {
  /** For each input. */
  readonly batches: readonly [ImageBatch, ...ImageBatch[]];
  readonly batchSize: number;
  readonly rule: RangeRule;
}

const BINS = 4096;

/** Runs the images through a model in onnxruntime, and sees between which numbers each of the named values lies. */
export async function calibrate(
  onnx: Uint8Array,
  names: readonly string[],
  { batches, batchSize, rule }: CalibrationOptions,
): Promise<Map<string, Range>> {
  const loaded = await openModel(showing(onnx, names));
  const forEachBatch = async (look: (name: string, values: Float32Array) => void) => {
    for (const batch of inSteps(batches, batchSize)) {
      const { feeds } = feed(loaded, batch);
      const results = await loaded.session.run(feeds);
      for (const name of names) look(name, (feeds[name] ?? results[name])!.data as Float32Array);
    }
  };
  try {
    const ranges = new Map<string, Range>();
    await forEachBatch((name, values) => ranges.set(name, widen(ranges.get(name), values, name)));
    if (rule === 'min-max') return ranges;
    const histograms = new Map(names.map((name) => [name, new Float64Array(BINS)]));
    await forEachBatch((name, values) => fill(histograms.get(name)!, ranges.get(name)!, values));
    return new Map(names.map((name) => [name, cut(histograms.get(name)!, ranges.get(name)!, rule.percentile)]));
  } finally {
    await loaded.session.release();
  }
}

/** The same model with these values among its outputs; the first output stays the first. */
function showing(onnx: Uint8Array, names: readonly string[]): Uint8Array {
  const model = decodeModel(onnx);
  const graph = model.graph!;
  const shown = new Set([...graph.output!, ...graph.input!].map(({ name }) => name));
  graph.output!.push(...names.filter((name) => !shown.has(name)).map((name) => ({ name })));
  return encode(model);
}

function widen(range: Range | undefined, values: Float32Array, name: string): Range {
  let { least, most } = range ?? { least: 0, most: 0 };
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
    if (Number.isNaN(value)) throw new Error(`The network gives NaN at '${name}' for these images; check both.`);
  }
  if (!Number.isFinite(most - least))
    throw new Error(`The network gives infinite values at '${name}' for these images.`);
  return { least, most };
}

function fill(histogram: Float64Array, { least, most }: Range, values: Float32Array): void {
  const perBin = (most - least) / BINS || 1;
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor((value - least) / perBin));
    histogram[bin] = histogram[bin]! + 1;
  }
}

/** Cuts off what lies beyond the percentile at either end; 0 stays inside. */
function cut(histogram: Float64Array, { least, most }: Range, percentile: number): Range {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  const allowed = total * (1 - percentile / 100);
  const perBin = (most - least) / BINS;
  const binsOff = (counts: Float64Array) => {
    let dropped = 0;
    const bin = counts.findIndex((count) => {
      dropped += count;
      return dropped > allowed;
    });
    return Math.max(bin, 0);
  };
  return {
    least: Math.min(0, least + perBin * binsOff(histogram)),
    most: Math.max(0, most - perBin * binsOff(histogram.toReversed())),
  };
}
