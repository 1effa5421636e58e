/** Images and the class of each, in memory. */
export interface LabelledImages {
  /** Pixels, NHWC: images * height * width * channels values. The readers put them in shared memory, which spares a batch source a copy. */
  readonly images: Uint8Array;
  /** The class of each image, an index into `classNames`. */
  readonly labels: Int32Array;
  /** [height, width, channels] of one image. */
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly classNames: readonly string[];
}

/** Bytes that worker threads can read without a copy. */
export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

export function valuesPerImage({ shape: [height, width, channels] }: Pick<LabelledImages, 'shape'>): number {
  return height * width * channels;
}

/** @throws Error if the arrays do not fit the shape, or a label names no class. `origin` begins the message. */
export function checkLabelledImages(data: LabelledImages, origin: string): void {
  const { images, labels, shape, classNames } = data;
  if (shape.length !== 3 || !shape.every((size) => Number.isInteger(size) && size > 0)) {
    throw new Error(`${origin}: shape must be [height, width, channels], three positive integers, got [${shape}].`);
  }
  const expected = labels.length * valuesPerImage(data);
  if (images.length !== expected) {
    throw new Error(
      `${origin}: ${labels.length} labels and images of ${shape.join(' x ')} need ${expected} pixel values, got ${images.length}.`,
    );
  }
  const wrong = labels.findIndex((label) => label < 0 || label >= classNames.length);
  if (wrong >= 0) {
    throw new Error(
      `${origin}: the label of image ${wrong} must be between 0 and ${classNames.length - 1}, got ${labels[wrong]}.`,
    );
  }
}

/**
 * The images at `indices`, copied, in that order.
 *
 * @throws RangeError if an index names no image.
 */
export function subset(data: LabelledImages, indices: ArrayLike<number>): LabelledImages {
  const size = valuesPerImage(data);
  const images = sharedBytes(indices.length * size);
  const labels = new Int32Array(indices.length);
  for (let position = 0; position < indices.length; position++) {
    const index = indices[position]!;
    if (!Number.isInteger(index) || index < 0 || index >= data.labels.length) {
      throw new RangeError(`subset: index ${index} names no image; there are ${data.labels.length}.`);
    }
    images.set(data.images.subarray(index * size, (index + 1) * size), position * size);
    labels[position] = data.labels[index]!;
  }
  return { images, labels, shape: data.shape, classNames: data.classNames };
}
