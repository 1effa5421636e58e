import * as tf from '@tensorflow/tfjs-core';

export interface ConvolutionOptions {
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
}

/**
 * conv2d for scoring, where a rounding error decides whether a ReLU is open. An engine that has the scoring kernel
 * TaylorCount is taken to convolve as PyTorch does. Of any other nothing is known: it may round after every product, as
 * tfjs-backend-cpu's Conv2D does. There the gradient with respect to the input stands in, which that engine sums in double
 * and which is a convolution too: with the kernel turned by 180 degrees. Where Conv2D is precise already, the two agree.
 *
 * @param x [n, h, w, in]
 * @param kernel [kh, kw, in, out]
 */
export function scoringConvolution(x: tf.Tensor4D, kernel: tf.Tensor4D, options: ConvolutionOptions): tf.Tensor4D {
  const strides = [...options.strides] as [number, number];
  if (tf.getKernel('TaylorCount', tf.getBackend())) return tf.conv2d(x, kernel, strides, options.padding);
  return tf.tidy(() => {
    const [images, height, width] = x.shape;
    const [kernelHeight, kernelWidth, , filters] = kernel.shape;
    const [rows, columns] = [kernelHeight - 1, kernelWidth - 1];
    const turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]);
    // Every position at which the kernel meets the image at all; 'valid', because engines differ in what else they take.
    const full: tf.Tensor4D = tf.engine().runKernel(
      'Conv2DBackpropInput',
      { dy: x, filter: turned },
      {
        strides: [1, 1],
        pad: 'valid',
        dataFormat: 'NHWC',
        inputShape: [images, height + rows, width + columns, filters],
      },
    );
    const { padInfo } = tf.backend_util.computeConv2DInfo(x.shape, kernel.shape, strides, 1, options.padding);
    const { top, bottom, left, right } = padInfo;
    const everyPosition = tf.slice(
      full,
      [0, rows - top, columns - left, 0],
      [images, height + top + bottom - rows, width + left + right - columns, filters],
    );
    return tf.avgPool(everyPosition, 1, strides, 'valid');
  });
}
