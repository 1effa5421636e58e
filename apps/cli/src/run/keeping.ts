import type { KeepingOptions } from '@secateur/core';
import type { RunConfig } from './run-config.ts';

/** What the configuration says about keeping accuracy, as the loop takes it. */
export function keepingOptions({ keeping, training }: Pick<RunConfig, 'keeping' | 'training'>): KeepingOptions {
  const { recalibrateBatches, teacherWeight, temperature, keepMomentum, rewind } = keeping;
  return {
    keepMomentum,
    ...(recalibrateBatches > 0 && { recalibrate: { batches: recalibrateBatches } }),
    ...(teacherWeight > 0 && { distillation: { temperature, weight: teacherWeight } }),
    ...(rewind && { rewind: { schedule: training.schedule, epochs: training.epochs } }),
  };
}
