import * as tf from '@tensorflow/tfjs-core';

export interface ConvolutionOptions {
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid';
}

/**
 * conv2d for scoring, where a rounding error decides whether a ReLU is open. Engines with their own scoring kernels
 * convolve as PyTorch does. Plain engines may round after every product, as tfjs-backend-cpu's Conv2D does; its gradient
 * with respect to the input sums in double, and is a convolution too: with the kernel turned by 180 degrees.
 *
 * @param x [n, h, w, in]
 * @param kernel [kh, kw, in, out]
 */
export function scoringConvolution(x: tf.Tensor4D, kernel: tf.Tensor4D, options: ConvolutionOptions): tf.Tensor4D {
  const strides = [...options.strides] as [number, number];
  if (tf.getKernel('TaylorCount', tf.getBackend())) return tf.conv2d(x, kernel, strides, options.padding);
  return tf.tidy(() => {
    const { padInfo } = tf.backend_util.computeConv2DInfo(x.shape, kernel.shape, strides, 1, options.padding);
    const { top, bottom, left, right } = padInfo;
    const padded = tf.pad(x, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
    const [images, height, width] = padded.shape;
    const [kernelHeight, kernelWidth, , filters] = kernel.shape;
    const turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]);
    const [rows, columns] = [kernelHeight - 1, kernelWidth - 1];
    const everyPosition: tf.Tensor4D = tf.engine().runKernel(
      'Conv2DBackpropInput',
      { dy: padded, filter: turned },
      {
        strides: [1, 1],
        pad: [
          [0, 0],
          [rows, rows],
          [columns, columns],
          [0, 0],
        ],
        dataFormat: 'NHWC',
        inputShape: [images, height - rows, width - columns, filters],
      },
    );
    return tf.avgPool(everyPosition, 1, strides, 'valid');
  });
}
