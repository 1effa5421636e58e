import type { Point, Work } from './axes.ts';

export interface ScalingTask {
  readonly point: Point;
  readonly work: Work;
  readonly imagesPerClass: number;
  readonly criterion: string;
  readonly repeats: number;
}

export interface ScalingRecord {
  readonly images: number;
  /** Of all convolutions. */
  readonly filters: number;
  readonly parameters: number;
  /** Multiply-accumulates of one image. */
  readonly macs: number;
  /** Processor time of each repetition after the first. */
  readonly milliseconds: readonly number[];
  /** By how much the largest resident set of the process exceeds that before the work. */
  readonly extraBytes: number;
}
