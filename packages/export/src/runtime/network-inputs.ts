/** Numbers as TensorFlow.js has them: channels last. */
export interface ImageBatch {
  /** Images standardised, or whatever the network takes. */
  readonly images: Float32Array;
  /** [count, height, width, channels] of images, [count, features] of vectors. */
  readonly shape: readonly number[];
}

/** What a network runs on; one of several inputs takes a batch for each, in the model's order and equally many of each. */
export type NetworkInputs = ImageBatch | { readonly inputs: readonly ImageBatch[] };

/**
 * One batch for each input.
 *
 * @throws Error when one is empty, has not as many numbers as its shape says, or not as many images as the others.
 */
export function batchesOf(given: NetworkInputs): readonly [ImageBatch, ...ImageBatch[]] {
  const batches = 'inputs' in given ? given.inputs : [{ images: given.images, shape: given.shape }];
  const [first] = batches;
  if (!first) throw new Error('Expected images for at least one input, but got an empty list of inputs.');
  for (const { images, shape } of batches) {
    const values = shape.reduce((product, size) => product * size, 1);
    if (!shape[0] || images.length !== values) {
      throw new Error(
        `Expected ${values} values for images of shape [${shape}], at least one image, but got ${images.length}.`,
      );
    }
    if (shape[0] !== first.shape[0]) {
      throw new Error(`Expected ${first.shape[0]} images for each input, but got some of shape [${shape}].`);
    }
  }
  return batches as readonly [ImageBatch, ...ImageBatch[]];
}

export function countOf([{ shape }]: readonly [ImageBatch, ...ImageBatch[]]): number {
  return shape[0]!;
}

/** All images, some at a time. */
export function* inSteps(
  batches: readonly [ImageBatch, ...ImageBatch[]],
  batchSize: number,
): Generator<readonly ImageBatch[]> {
  const count = countOf(batches);
  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    yield batches.map(({ images, shape }) => {
      const size = images.length / count;
      return { images: images.subarray(start * size, end * size), shape: [end - start, ...shape.slice(1)] };
    });
  }
}
