/** What is planted. */
export interface Planting {
  readonly classes: number;
  /** Filters of each kind. */
  readonly filters: number;
  readonly imagesPerClass: number;
  /** Pixels of an image's side. */
  readonly size: number;
  /** Standard deviation of what is added to all pixels; a class's evidence has a mean of 1. */
  readonly noise: number;
  readonly seed: number;
}

/** 'planted': the last layer is given, too. 'trained': it learns what to make of the planted filters. */
export const READOUTS = ['planted', 'trained'] as const;

export type Readout = (typeof READOUTS)[number];

export interface Task {
  readonly planting: Planting;
  readonly readout: Readout;
  /** Epochs in which a readout is trained. */
  readonly epochs: number;
  readonly criteria: readonly string[];
}

export interface KnownImportanceRecord {
  readonly accuracy: number;
  /** How many classes each filter serves. */
  readonly planted: readonly number[];
  /** Of each criterion, by its name. */
  readonly scores: Readonly<Record<string, readonly number[]>>;
}

/**
 * The classes that each filter serves: a kind is a number of classes, none, one, several, half of them and all, and filter i of a kind
 * starts at class i.
 */
export function servedClasses({ classes, filters }: Pick<Planting, 'classes' | 'filters'>): number[][] {
  const kinds = [...new Set([0, 1, Math.min(3, classes), classes >> 1, classes])].sort((a, b) => a - b);
  return kinds.flatMap((kind) =>
    Array.from({ length: filters }, (_, i) => Array.from({ length: kind }, (_, j) => (i + j) % classes)),
  );
}
