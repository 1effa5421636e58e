/** What a report shows of one run: plain JSON, small however long the run was. */
export interface RunReport {
  /** Of the folder. */
  readonly name: string;
  readonly state: 'running' | 'finished' | 'interrupted' | 'failed';
  /** Why it failed. */
  readonly message?: string;
  readonly startedAt?: string;
  /** How often another process has gone on with it. */
  readonly resumed?: number;
  /** From the start to the last event. */
  readonly seconds: number;
  /** Seconds from the start to the end, as they were last foreseen. */
  readonly expectedSeconds?: number;
  readonly network?: string;
  readonly data?: string;
  readonly classNames: readonly string[];
  readonly before?: NetworkState;
  /** The smallest network that was kept, so far. */
  readonly after?: NetworkState;
  readonly layers: readonly LayerWidths[];
  readonly iterations: readonly Iteration[];
  readonly curves: readonly Curve[];
  readonly scores: readonly IterationScores[];
  /** Of the first and the latest scoring only: this is what takes space. */
  readonly matrices: readonly ScoreMatrix[];
  readonly goals: readonly ReportedGoal[];
  /** Why the loop ended, and what a guard or the comparison with the ONNX file found. */
  readonly endReason?: string;
  readonly verification?: { readonly images: number; readonly maxAbsDifference: number; readonly passed: boolean };
  readonly guards: { readonly accuracyAtLeast?: number; readonly macsAtMost?: number };
  /** Wall time by part. */
  readonly parts: Readonly<Record<string, number>>;
  /** config.json as it is. */
  readonly config: unknown;
}

export interface NetworkState {
  readonly macs: number;
  readonly parameters: number;
  readonly validation: ClassResults;
  /** Once the run has finished. */
  readonly test?: ClassResults;
  readonly onnxBytes?: number;
  readonly latency?: { readonly medianMs: number; readonly p95Ms: number };
}

/** How images were classified. */
export interface ClassResults {
  readonly images: number;
  readonly accuracy: number;
  readonly classes: readonly { readonly className: string; readonly correct: number; readonly images: number }[];
  /** confusion[label][predicted]: number of images. */
  readonly confusion: readonly (readonly number[])[];
}

export interface LayerWidths {
  readonly layer: string;
  readonly before: number;
  readonly after: number;
}

/** One removal with the tuning after it; an iteration that was rolled back and tried again has several. */
export interface Iteration {
  readonly iteration: number;
  readonly removedFilters: number;
  readonly macs: number;
  readonly parameters: number;
  /** Of the validation images. */
  readonly accuracy: number;
  readonly kept: boolean;
  readonly seconds: number;
}

/** One training or tuning. */
export interface Curve {
  readonly phase: string;
  readonly iteration?: number;
  readonly epochs: number;
  /** Means over stretches of steps, at most a few hundred, column by column. `epoch` is where a stretch is centred. */
  readonly steps: Readonly<Record<StepColumn, readonly number[]>>;
  /** How many steps one value stands for. */
  readonly stretch: number;
  /** Means over whole epochs. */
  readonly means: readonly {
    readonly epoch: number;
    readonly loss: number;
    readonly crossEntropy: number;
    readonly accuracy: number;
    readonly imagesPerSecond: number;
  }[];
}

export type StepColumn = 'epoch' | 'total' | 'crossEntropy' | 'distillation' | 'learningRate';

export interface IterationScores {
  readonly iteration: number;
  /** The largest score that there can be; 0 where scores have no bound. */
  readonly classes: number;
  /** Filters with a lower score may go, where the strategy asks for a threshold. */
  readonly threshold?: number;
  readonly layers: readonly LayerHistogram[];
}

/** How many filters have which score, in bins of equal width whose centres go from `low` to `high`. */
export interface LayerHistogram {
  readonly layer: string;
  readonly filters: number;
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
  readonly mean: number;
  readonly removed: number;
}

/** How much each filter of a layer matters to each class. */
export interface ScoreMatrix {
  readonly iteration: number;
  readonly layer: string;
  readonly classes: number;
  /** Filter by filter. */
  readonly scores: readonly number[];
  readonly removed: readonly number[];
  /** What the byte 255 stands for; a byte b stands for largest * (b / 255)^2, so that small values are told apart. */
  readonly largest: number;
  /** [classes * filters] bytes in base64, row by row. */
  readonly bytes: string;
}

export interface ReportedGoal {
  readonly name: string;
  readonly unit: string;
  readonly sense: string;
  readonly goal: number;
  readonly value: number;
  readonly met: boolean;
}

/** What a page gets. */
export interface PageData {
  /** Of secateur. */
  readonly version: string;
  readonly runs: readonly RunReport[];
}
