import type { Tensor } from 'onnxruntime-node';
import { fixedBatch } from '../metadata.ts';
import { takesPixels } from './feed.ts';
import type { OnnxSource } from './load-model.ts';
import { type LoadedModel, openModel } from './session.ts';

export interface LatencyOptions {
  /** Images in one run. Default 1. */
  readonly batchSize?: number;
  /** Timed runs of each model. Default 50. */
  readonly runs?: number;
  /** Runs before the clock starts. Default 5. */
  readonly warmupRuns?: number;
  /** Threads inside one operator; by default onnxruntime takes one for each core. */
  readonly threads?: number;
}

export interface Latency {
  readonly medianMs: number;
  readonly p95Ms: number;
  /** Images in a second, by the median. */
  readonly imagesPerSecond: number;
  readonly batchSize: number;
  readonly runs: number;
  /** Size of the file, with weights in other files. */
  readonly bytes: number;
}

/** Threads of one model would otherwise go on waiting at full speed while the next one runs, and take its processors. */
const QUIET_BETWEEN_RUNS = { extra: { session: { force_spinning_stop: '1' } } };

/**
 * Times models in onnxruntime-node on made-up images. Given several, it runs them in turn, so that whatever else the
 * machine does meets all of them alike.
 *
 * @returns one Latency, or one for each model in the order given; times are wall-clock milliseconds of a whole batch.
 * @throws Error when a file is not ONNX, has inputs of unknown size or a fixed batch that is another, or `runs` or `batchSize` is not a positive integer.
 */
export async function measureLatency(source: OnnxSource, options?: LatencyOptions): Promise<Latency>;
export async function measureLatency(sources: readonly OnnxSource[], options?: LatencyOptions): Promise<Latency[]>;
export async function measureLatency(
  sources: OnnxSource | readonly OnnxSource[],
  { batchSize = 1, runs = 50, warmupRuns = 5, threads }: LatencyOptions = {},
): Promise<Latency | Latency[]> {
  expectPositiveInteger('batchSize', batchSize);
  expectPositiveInteger('runs', runs);
  const several = Array.isArray(sources);
  const list = (several ? sources : [sources]) as readonly OnnxSource[];
  const loaded: LoadedModel[] = [];
  try {
    for (const source of list) {
      loaded.push(await openModel(source, { ...QUIET_BETWEEN_RUNS, ...(threads && { intraOpNumThreads: threads }) }));
    }
    const timings = await timeInTurn(loaded, { batchSize, runs, warmupRuns });
    const results = timings.map((times, i) => ({
      medianMs: quantile(times, 0.5),
      p95Ms: quantile(times, 0.95),
      imagesPerSecond: (1000 * batchSize) / quantile(times, 0.5),
      batchSize,
      runs,
      bytes: loaded[i]!.bytes,
    }));
    return several ? results : results[0]!;
  } finally {
    for (const { session } of loaded) await session.release();
  }
}

async function timeInTurn(
  models: readonly LoadedModel[],
  { batchSize, runs, warmupRuns }: { batchSize: number; runs: number; warmupRuns: number },
): Promise<number[][]> {
  const feeds = models.map((model) => feedFor(model, batchSize));
  const times = models.map((): number[] => []);
  for (let run = -warmupRuns; run < runs; run++) {
    for (const [i, { session }] of models.entries()) {
      const start = performance.now();
      await session.run(feeds[i]!);
      if (run >= 0) times[i]!.push(performance.now() - start);
    }
  }
  return times;
}

function feedFor(loaded: LoadedModel, batchSize: number): Record<string, Tensor> {
  const { runtime, session, metadata } = loaded;
  const fixed = fixedBatch(metadata);
  if (fixed !== undefined && fixed !== batchSize) {
    throw new Error(
      `Expected a file with an open batch, but '${metadata.input.name}' is [${metadata.input.dims}]. Measure it at batch size ${fixed}, or export it with a dynamic batch.`,
    );
  }
  return Object.fromEntries(
    metadata.inputs.map((input, i) => {
      const dims = [batchSize, ...input.dims.slice(1)] as number[];
      if (dims.some((size) => !(size > 0))) {
        throw new Error(
          `Expected an input whose sizes are fixed but for the batch, but '${input.name}' is [${input.dims}].`,
        );
      }
      const length = dims.reduce((product, size) => product * size, 1);
      // Ordinary numbers around 0: zeros or denormals would change the speed.
      const tensor = takesPixels(loaded, i)
        ? new runtime.Tensor(
            'uint8',
            Uint8Array.from({ length }, (_, value) => 128 + 127 * Math.sin(value)),
            dims,
          )
        : new runtime.Tensor(
            'float32',
            Float32Array.from({ length }, (_, value) => Math.sin(value)),
            dims,
          );
      return [session.inputNames[i]!, tensor];
    }),
  );
}

/** Interpolates linearly between the two sorted values around the position. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position % 1);
}

function expectPositiveInteger(option: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`Expected ${option} to be a positive integer, but got ${value}.`);
}
