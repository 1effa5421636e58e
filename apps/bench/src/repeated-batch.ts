import type { Batch, BatchSource } from '@secateur/core';
import * as tf from '@tensorflow/tfjs-core';

const IMAGE = [32, 32, 3] as const;
const CLASSES = 10;

/** One epoch of `steps` times the same batch of seeded normal noise, so that nothing but the training takes time. */
export function repeatedBatch({ batch, steps }: { batch: number; steps: number }): BatchSource {
  const repeated: Batch = {
    images: tf.tidy(() => tf.randomNormal([batch, ...IMAGE], 0, 1, 'float32', 1).dataSync() as Float32Array),
    labels: Int32Array.from({ length: batch }, (_, image) => image % CLASSES),
    shape: [batch, ...IMAGE],
  };
  return {
    size: batch * steps,
    batchSize: batch,
    classNames: Array.from({ length: CLASSES }, (_, label) => `class ${label}`),
    async *batches(_epoch, firstBatch = 0) {
      for (let step = firstBatch; step < steps; step++) yield repeated;
    },
  };
}
