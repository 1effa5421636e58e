import { checkLabelledImages, type LabelledImages, subset } from './labelled-images.ts';
import { checkSeed, randomStream, shuffle } from './random.ts';

export interface StratifiedSplitOptions {
  /** Share of each class that is held out, between 0 and 1; rounded to whole images class by class. */
  readonly fraction: number;
  /** The same seed holds out the same images. */
  readonly seed: number;
}

/**
 * Splits into [rest, held out] with the same share of every class in both; each part keeps the order of `data`.
 *
 * @throws Error if the fraction is outside 0 to 1, or labels, images and class names do not fit together.
 */
export function stratifiedSplit(
  data: LabelledImages,
  { fraction, seed }: StratifiedSplitOptions,
): [rest: LabelledImages, heldOut: LabelledImages] {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new Error(`stratifiedSplit: fraction must be between 0 and 1, got ${fraction}.`);
  }
  checkSeed(seed, 'stratifiedSplit');
  checkLabelledImages(data, 'stratifiedSplit');
  const [rest, held] = splitIndices(data, { fraction, seed });
  return [subset(data, rest), subset(data, held)];
}

/** The positions that `stratifiedSplit` puts into [rest, held out], ascending. */
export function splitIndices(
  data: Pick<LabelledImages, 'labels' | 'classNames'>,
  { fraction, seed }: StratifiedSplitOptions,
): [rest: Uint32Array, heldOut: Uint32Array] {
  const parts = shuffledClasses(data, seed).map((indices) => {
    const held = Math.round(fraction * indices.length);
    return { held: indices.subarray(0, held), rest: indices.subarray(held) };
  });
  const inOrder = (indices: readonly Uint32Array[]) => Uint32Array.from(indices.flatMap((part) => [...part])).sort();
  return [inOrder(parts.map(({ rest }) => rest)), inOrder(parts.map(({ held }) => held))];
}

export interface PickPerClassOptions {
  readonly perClass: number;
  /** The same seed picks the same images. */
  readonly seed: number;
}

/**
 * `perClass` images of every class, sorted by class: what class-aware scores are computed from (arXiv 2312.05875 uses 10).
 *
 * @throws Error if a class has fewer images than that, or labels, images and class names do not fit together.
 */
export function pickPerClass(data: LabelledImages, { perClass, seed }: PickPerClassOptions): LabelledImages {
  if (!Number.isInteger(perClass) || perClass < 1) {
    throw new Error(`pickPerClass: perClass must be a positive integer, got ${perClass}.`);
  }
  checkSeed(seed, 'pickPerClass');
  checkLabelledImages(data, 'pickPerClass');
  const picked = shuffledClasses(data, seed).flatMap((indices, label) => {
    if (indices.length < perClass) {
      const name = data.classNames[label];
      throw new Error(
        `pickPerClass: class ${label} (${name}) has ${indices.length} images, ${perClass} are needed. Take fewer of each class, or add images.`,
      );
    }
    return [...indices.subarray(0, perClass).sort()];
  });
  return subset(data, picked);
}

/** For each class the positions of its images, shuffled. */
function shuffledClasses(
  { labels, classNames }: Pick<LabelledImages, 'labels' | 'classNames'>,
  seed: number,
): Uint32Array[] {
  const positions: number[][] = classNames.map(() => []);
  labels.forEach((label, position) => {
    positions[label]!.push(position);
  });
  return positions.map((ofClass, label) => {
    const indices = Uint32Array.from(ofClass);
    shuffle(indices, randomStream(seed, label));
    return indices;
  });
}
