/** A batch of standardised images, NHWC. The arrays may be reused once the next batch is asked for. */
export interface Batch {
  readonly images: Float32Array;
  /** Class index of each image; for a network that labels pixels that of each pixel, image after image and row after row. */
  readonly labels: Int32Array;
  /** [images, height, width, channels] */
  readonly shape: readonly [number, number, number, number];
}

/** Where training and evaluation take their images from. The same epoch always gives the same batches. */
export interface BatchSource {
  /** Number of images in one epoch. */
  readonly size: number;
  readonly batchSize: number;
  readonly classNames: readonly string[];
  /** @param firstBatch Number of batches to leave out at the start, to go on inside an epoch. */
  batches(epoch: number, firstBatch?: number): AsyncIterable<Batch>;
}
