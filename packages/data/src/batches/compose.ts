import { randomStream, shuffle } from '../random.ts';

/** All that decides what a batch holds; plain data, handed to the worker as it is. */
export interface Recipe {
  readonly images: Uint8Array;
  readonly labels: Int32Array;
  /** [height, width, channels] of one image. */
  readonly shape: readonly [number, number, number];
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly flip: boolean;
  /** Zero pixels around the image, of which a random window of the old size is taken. 0: no crop. */
  readonly cropPadding: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly seed: number;
}

/** The order in which an epoch visits the images. */
export function epochOrder({ labels, shuffle: shuffled, seed }: Recipe, epoch: number): Uint32Array {
  const order = Uint32Array.from(labels.keys());
  if (shuffled) shuffle(order, randomStream(seed, epoch));
  return order;
}

/**
 * (pixel / 255 - mean) / std for each channel and pixel value, rounded to float32 after each operation as PyTorch does:
 * channel * 256 + value -> x.
 */
export function standardisation({ mean, std }: Pick<Recipe, 'mean' | 'std'>): Float32Array {
  return Float32Array.from({ length: mean.length * 256 }, (_, entry) => {
    const channel = entry >> 8;
    const scaled = Math.fround((entry & 255) / 255);
    return Math.fround(scaled - Math.fround(mean[channel]!)) / Math.fround(std[channel]!);
  });
}

/** A function that writes the images numbered `indices` one after another, augmented for that epoch and standardised. */
export function batchComposer(recipe: Recipe) {
  const { images, labels, shape, flip, cropPadding, seed } = recipe;
  const [height, width, channels] = shape;
  const size = height * width * channels;
  const table = standardisation(recipe);

  const compose = (index: number, epoch: number, target: Float32Array, start: number) => {
    // Keyed by the image, not by its place in the epoch: no other image's draws can shift this one's.
    const random = randomStream(seed, epoch, index);
    const mirrored = flip && random(2) === 1;
    const down = random(2 * cropPadding + 1) - cropPadding;
    const right = random(2 * cropPadding + 1) - cropPadding;
    let out = start;
    for (let y = 0; y < height; y++) {
      const row = y + down;
      for (let x = 0; x < width; x++) {
        const column = x + right;
        const inside = row >= 0 && row < height && column >= 0 && column < width;
        const pixel = index * size + (row * width + (mirrored ? width - 1 - column : column)) * channels;
        for (let channel = 0; channel < channels; channel++) {
          target[out] = table[channel * 256 + (inside ? images[pixel + channel]! : 0)]!;
          out += 1;
        }
      }
    }
  };

  return (indices: Uint32Array, epoch: number, target: { images: Float32Array; labels: Int32Array }): void => {
    for (let position = 0; position < indices.length; position++) {
      const index = indices[position]!;
      compose(index, epoch, target.images, position * size);
      target.labels[position] = labels[index]!;
    }
  };
}
