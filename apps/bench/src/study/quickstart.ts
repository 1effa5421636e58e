import { type Objective, PAPER_OBJECTIVE, type Schedule } from '@secateur/core';

// As the command line's preset quickstart trains.

export interface Tuning {
  readonly epochs: number;
  readonly schedule: Schedule;
}

export const IMAGES = {
  batchSize: 128,
  validationFraction: 0.05,
  imagesPerClass: 20,
  augment: { flip: true, cropPadding: 2 },
} as const;

export const OBJECTIVE: Objective = { ...PAPER_OBJECTIVE, l1: 1e-5, orthogonality: 1e-3 };

export const PRECISION = 'bfloat16';

/** Epochs of the unpruned network; after each removal but the last; after the last. */
export interface TrainingEpochs {
  readonly epochs: number;
  readonly fineTuneEpochs: number;
  readonly finalTuneEpochs: number;
}

export function tunings({
  epochs,
  fineTuneEpochs,
  finalTuneEpochs,
}: TrainingEpochs): Record<'base' | 'fine' | 'final', Tuning> {
  return {
    base: { epochs, schedule: { kind: 'one-cycle', peak: 0.1, warmup: 0.25 } },
    fine: { epochs: fineTuneEpochs, schedule: { kind: 'one-cycle', peak: 0.03, warmup: 0.3 } },
    final: { epochs: finalTuneEpochs, schedule: { kind: 'one-cycle', peak: 0.06, warmup: 0.15 } },
  };
}
