import type { NetworkName, Setting as TrainStepSetting } from '../train-step/setting.ts';

/** What predicts, and how many images at a time. */
export interface InferenceSetting {
  readonly model: NetworkName;
  readonly precision: TrainStepSetting['precision'];
  readonly batch: number;
}

/** How a run measures it. */
export interface InferenceRunOptions {
  /** Factor on the network's widths. */
  readonly width: number;
  /** How long the measured predictions go on; a third of it goes before. */
  readonly seconds: number;
  readonly threads: number;
}

/** 'model/precision/batch' */
export function keyOf({ model, precision, batch }: InferenceSetting): string {
  return `${model}/${precision}/${batch}`;
}
