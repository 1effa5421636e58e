import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkCount } from '../check-option.ts';
import type { BatchSource } from '../data.ts';
import { type Precision, usePrecision } from '../kernels/precision.ts';
import type { StatisticsUpdate } from './operation.ts';
import { compileProgram } from './program.ts';
import { walkForward } from './walk.ts';

export interface RecalibrationOptions {
  /** How many batches to take at most; default: a whole epoch. */
  readonly batches?: number;
  /** What convolutions compute in; default float32. */
  readonly precision?: Precision;
}

/**
 * Replaces the moving statistics of every batch norm by the mean and the (unbiased) variance of its inputs over many
 * batches: exact ones, not moving averages that remember other weights and the latest batches most. Every batch is
 * normalised by its own statistics on its way, as in training, while dropout rests.
 *
 * To be called when a removal, or a training that has just ended, has made the statistics stale. Other weights stay as they
 * are; a batch norm over another axis than the last is left out.
 *
 * @param source Training images: `evaluate` on other images must not see them here.
 * @throws Error when the source gives no image, or statistics are not finite; the model is then as it was.
 */
export async function recalibrateBatchNorm(
  model: LayersModel,
  source: BatchSource,
  { batches = Number.POSITIVE_INFINITY, precision = 'float32' }: RecalibrationOptions = {},
): Promise<void> {
  if (batches !== Number.POSITIVE_INFINITY) checkCount('batches', batches);
  const program = compileProgram(model);
  const pooled = new Map<tf.Variable, PooledStatistics>();
  let seen = 0;
  for await (const batch of source.batches(0)) {
    const restorePrecision = usePrecision(precision);
    try {
      tf.tidy(() => {
        const images = tf.tensor4d(batch.images, [...batch.shape]);
        const { updates } = walkForward(program, images, { mode: 'statistics', record: false });
        for (const update of updates) {
          const statistics = pooled.get(update.movingMean) ?? new PooledStatistics(update);
          statistics.add(update);
          pooled.set(update.movingMean, statistics);
        }
      });
    } finally {
      restorePrecision();
    }
    if (++seen === batches) break;
  }
  if (seen === 0) throw new Error('Expected at least one batch to recalibrate on, but the source gave none.');
  for (const statistics of pooled.values()) statistics.checkFinite();
  for (const statistics of pooled.values()) statistics.assign();
}

/** Mean and squared deviations of each channel over the batches so far, merged as in Chan et al. 1979. */
class PooledStatistics {
  readonly #variables: Pick<StatisticsUpdate, 'movingMean' | 'movingVariance'>;
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  #samples = 0;

  constructor({ movingMean, movingVariance }: StatisticsUpdate) {
    this.#variables = { movingMean, movingVariance };
    this.#mean = new Float64Array(movingMean.size);
    this.#squares = new Float64Array(movingMean.size);
  }

  add({ mean, variance, samples }: StatisticsUpdate): void {
    const [means, variances] = [mean.dataSync(), variance.dataSync()];
    const total = this.#samples + samples;
    for (let channel = 0; channel < means.length; channel++) {
      const distance = means[channel]! - this.#mean[channel]!;
      this.#mean[channel]! += (distance * samples) / total;
      this.#squares[channel]! +=
        variances[channel]! * (samples - 1) + (distance ** 2 * this.#samples * samples) / total;
    }
    this.#samples = total;
  }

  checkFinite(): void {
    if ([...this.#mean, ...this.#squares].every(Number.isFinite)) return;
    throw new Error(
      `Expected finite statistics, but those for '${this.#variables.movingMean.name}' are not. Look for broken images or weights.`,
    );
  }

  assign(): void {
    const degrees = Math.max(1, this.#samples - 1);
    const write = (variable: tf.Variable, values: Float64Array) => {
      const tensor = tf.tensor1d(Float32Array.from(values));
      variable.assign(tensor);
      tensor.dispose();
    };
    write(this.#variables.movingMean, this.#mean);
    write(
      this.#variables.movingVariance,
      this.#squares.map((sum) => sum / degrees),
    );
  }
}
