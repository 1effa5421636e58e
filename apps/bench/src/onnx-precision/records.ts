import type { QuantiseOptions } from '@secateur/export';

type Int8Options = Pick<QuantiseOptions, 'range' | 'weightBits'>;

/** The files that are compared, by name: how the float32 export becomes each. */
export const FILES = {
  float32: {},
  'float16 weights': { float16: { activations: false } },
  'float16 throughout': { float16: { activations: true } },
  int8: { int8: {} },
  'int8, 99.99 %': { int8: { range: { percentile: 99.99 } } },
  'int8, 7 bits': { int8: { weightBits: 7 } },
} as const satisfies Record<string, { float16?: { activations: boolean }; int8?: Int8Options }>;

export type FileName = keyof typeof FILES;

export const FILE_NAMES = Object.keys(FILES) as FileName[];

/** What both workers are told. */
export interface FilesTask {
  /** Where the files lie, or are to be written. */
  readonly files: string;
}

export interface AccuracyTask extends FilesTask {
  /** The folder of a network for CIFAR-10, in the format of tfjs-layers. */
  readonly model: string;
  readonly calibrationPerClass: number;
  /** Take only so many test images of each class; absent: all. */
  readonly testPerClass?: number;
  readonly data?: string;
}

/** One file on the test images. */
export interface FileAccuracy {
  readonly bytes: number;
  readonly accuracy: number;
  /** Share of the images that get the class that the network gives them on our engine. */
  readonly sameClass: number;
}

export interface AccuracyRecord {
  readonly testImages: number;
  /** Of the network itself. */
  readonly accuracy: number;
  readonly files: Readonly<Record<FileName, FileAccuracy>>;
}

export interface LatencyTask extends FilesTask {
  readonly batch: number;
  readonly threads: number;
  readonly runs: number;
}

export interface FileLatency {
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly imagesPerSecond: number;
}

export type LatencyRecord = Readonly<Record<FileName, FileLatency>>;

/** A file in the folder. */
export function fileOf(name: FileName): string {
  return `${name.replace(/[^a-z0-9]+/g, '-').replace(/-$/, '')}.onnx`;
}
