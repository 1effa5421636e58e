import type { NetworkName, Setting as TrainStepSetting } from '../train-step/setting.ts';

/** model.predict next to PyTorch's module, or a trace of the one next to a trace of the other. */
export const CALLS = ['predict', 'trace'] as const;

/** What predicts, and how many images at a time. */
export interface InferenceSetting {
  readonly model: NetworkName;
  readonly precision: TrainStepSetting['precision'];
  readonly batch: number;
  readonly call: (typeof CALLS)[number];
}

/** How a run measures it. */
export interface InferenceRunOptions {
  /** Factor on the network's widths. */
  readonly width: number;
  /** How long the measured predictions go on; a third of it goes before. */
  readonly seconds: number;
  readonly threads: number;
}

/** 'model/precision/batch/call' */
export function keyOf({ model, precision, batch, call }: InferenceSetting): string {
  return `${model}/${precision}/${batch}/${call}`;
}
