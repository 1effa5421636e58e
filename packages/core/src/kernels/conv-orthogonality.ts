import * as tf from '@tensorflow/tfjs-core';
import { runFused } from './fused.ts';

export interface Penalty {
  /** scalar */
  readonly loss: tf.Scalar;
  /** Same shape as the kernel. */
  readonly gradient: tf.Tensor;
}

const TAPS = [0, 1, 2];
const OFFSETS = [-1, 0, 1];

/**
 * Convolutional orthogonality of a 3x3 kernel: sqrt(sum over offsets d of ||R(d)||^2) with
 * R(d) = sum over taps t of K(t) K(t+d)^T - I[d = 0], K(t) the [out, in] matrix of tap t, and d in {-1, 0, 1}^2.
 * Because R(-d) is R(d)^T, the gradient at tap t is 2 / loss * sum over d of R(d) K(t+d).
 *
 * @param kernel [3, 3, in, out]
 */
export function convOrthogonality(kernel: tf.Tensor4D): Penalty {
  const fused = runFused('ConvOrthogonality', { kernel });
  if (fused) return { loss: fused[0] as tf.Scalar, gradient: fused[1]! };
  return tf.tidy(() => {
    const [, , , out] = kernel.shape;
    const taps = TAPS.map((y) =>
      TAPS.map((x) => tf.squeeze(tf.slice(kernel, [y, x, 0, 0], [1, 1, -1, -1]), [0, 1]) as tf.Tensor2D),
    );
    const correlations = OFFSETS.map((dy) =>
      OFFSETS.map((dx) => {
        const products = TAPS.flatMap((y) =>
          TAPS.flatMap((x) => {
            const shifted = taps[y + dy]?.[x + dx];
            return shifted ? [tf.matMul(taps[y]![x]!, shifted, true, false)] : [];
          }),
        );
        const sum = tf.addN(products);
        return dy === 0 && dx === 0 ? tf.sub(sum, tf.eye(out)) : sum;
      }),
    );
    const loss = tf.sqrt(tf.addN(correlations.flat().map((r) => tf.sum(tf.square(r))))) as tf.Scalar;
    const scale = tf.divNoNan(2, loss);
    const gradients = TAPS.map((y) =>
      tf.stack(
        TAPS.map((x) => {
          const terms = OFFSETS.flatMap((dy) =>
            OFFSETS.flatMap((dx) => {
              const shifted = taps[y + dy]?.[x + dx];
              return shifted ? [tf.matMul(shifted, correlations[dy + 1]![dx + 1]! as tf.Tensor2D, false, true)] : [];
            }),
          );
          return tf.mul(tf.addN(terms), scale);
        }),
      ),
    );
    return { loss, gradient: tf.stack(gradients) };
  });
}
