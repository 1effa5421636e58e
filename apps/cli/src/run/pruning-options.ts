import type { PruningOptions, Target } from '@secateur/core';
import { exportOnnx, measureLatency } from '@secateur/export';
import { keepingOptions } from './keeping.ts';
import type { RunConfig } from './run-config.ts';

/** Enough for a median that a busy machine does not move much. */
const TIMED_RUNS = 30;

/** What the configuration says about pruning, as the loop takes it. */
export function pruningOptions(config: RunConfig, { threads }: { readonly threads: number | null }): PruningOptions {
  const { criterion, graph, ranking, selection, tolerance, classTolerance, classFloor, smallerSteps } = config;
  const training = { objective: config.objective, precision: config.precision };
  return {
    criterion,
    graph,
    ranking: { combine: ranking.combine, ...(ranking.normalise && { normalise: ranking.normalise }) },
    selection,
    tolerance,
    ...(classTolerance !== null && { classTolerance }),
    ...(classFloor !== null && { classFloor }),
    smallerSteps,
    target: pruningTarget(config.target, { threads }),
    maxIterations: config.maxIterations,
    fineTune: { ...config.fineTune, ...training },
    finalTune: { ...config.finalTune, ...training },
    ...keepingOptions(config),
  };
}

/**
 * Time is the median of one batch in onnxruntime, in milliseconds, of the ONNX files that networks would become. The runs of all that are
 * compared take turns.
 */
function pruningTarget(
  { kind, removed, atMost, batchSize }: RunConfig['target'],
  { threads }: { readonly threads: number | null },
): Target {
  const amount = removed === null ? { atMost: atMost! } : { removed };
  if (kind !== 'latency') return { kind, ...amount };
  const options = { batchSize, runs: TIMED_RUNS, ...(threads !== null && { threads }) };
  return {
    kind,
    ...amount,
    measure: async (models) => {
      const files = await Promise.all(models.map((model) => exportOnnx(model)));
      return (await measureLatency(files, options)).map(({ medianMs }) => medianMs);
    },
  };
}
