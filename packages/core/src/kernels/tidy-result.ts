import * as tf from '@tensorflow/tfjs-core';

/** tf.tidy for functions that return a typed record: keeps the tensors anywhere in the result, frees all others. */
export function tidyResult<Result extends object>(compute: () => Result): Result {
  return tf.tidy(compute as unknown as () => tf.TensorContainer) as unknown as Result;
}
