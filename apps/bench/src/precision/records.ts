import type { PRECISIONS } from '../train-step/setting.ts';

export type Precision = (typeof PRECISIONS)[number];

/** The recipe that both precisions follow. */
export interface Setup {
  /** Factor on the widths of VGG-11. */
  readonly width: number;
  readonly epochs: number;
  /** Take only so many training and test images of each class; absent: all. */
  readonly perClass?: number;
  readonly testPerClass?: number;
}

/** What a worker is asked for. */
export interface Task {
  readonly setup: Setup;
  readonly seed: number;
  readonly precision: Precision;
  readonly data?: string;
}

export interface PrecisionRecord {
  readonly testAccuracy: number;
  /** Of the last epoch. */
  readonly loss: number;
}
