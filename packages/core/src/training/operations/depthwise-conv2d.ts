import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import type { Forward, Operation } from '../operation.ts';
import { layerVariables, trainableWeight } from './weights.ts';

/** DepthwiseConv2D without its activation: each channel of x [n, h, w, in] by its own kernels [kh, kw, in, multiplier]. */
export function depthwiseConv2d(layer: Layer): Operation {
  const { strides, padding } = layer.getConfig() as { strides: [number, number]; padding: 'same' | 'valid' };
  const [kernel, bias] = layerVariables(layer) as [tf.Variable<tf.Rank.R4>, tf.Variable<tf.Rank.R1> | undefined];
  const weights = [...trainableWeight(layer, 0, 'kernel'), ...(bias ? trainableWeight(layer, 1) : [])];
  const attributes = { strides, pad: padding, dilations: [1, 1] };
  const run = (kernelName: string, inputs: tf.NamedTensorMap, more: tf.NamedAttrMap): tf.Tensor =>
    tf.engine().runKernel(kernelName, inputs, { ...attributes, ...more });
  return {
    trainable: weights,
    forward([input]): Forward {
      const x = tf.clone(input!);
      const product = run('DepthwiseConv2dNative', { x, filter: kernel }, { dataFormat: 'NHWC' });
      return {
        output: bias ? tf.add(product, bias) : product,
        saved: [x],
        backward: (dy, wanted) => ({
          inputs: wanted.inputs
            ? [run('DepthwiseConv2dNativeBackpropInput', { dy, filter: kernel }, { inputShape: x.shape })]
            : [],
          weights: wanted.weights
            ? weights.map((weight) =>
                weight.variable === bias
                  ? tf.sum(dy, [0, 1, 2])
                  : run('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { filterShape: kernel.shape }),
              )
            : [],
        }),
      };
    },
  };
}
