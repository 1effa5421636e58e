import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '@tensorflow/tfjs-layers/dist/engine/topology.js';
import { scoringConvolution } from '../../kernels/scoring-convolution.ts';
import type { Forward, Operation } from '../operation.ts';
import { layerVariables, trainableWeight } from './weights.ts';

type Pair = [number, number];

/** Conv2D without its activation: x [n, h, w, in] * kernel [kh, kw, in, out] + bias. */
export function conv2d(layer: Layer): Operation {
  const config = layer.getConfig() as unknown as { strides: Pair; padding: 'same' | 'valid'; dataFormat: string };
  if (config.dataFormat !== 'channelsLast') {
    throw new Error(
      `Expected layer '${layer.name}' to have dataFormat 'channelsLast', but it is '${config.dataFormat}'. Rebuild the model with NHWC images.`,
    );
  }
  const [kernel, bias] = layerVariables(layer) as [tf.Variable<tf.Rank.R4>, tf.Variable<tf.Rank.R1> | undefined];
  const weights = [...trainableWeight(layer, 0, 'convolution kernel'), ...(bias ? trainableWeight(layer, 1) : [])];
  const { strides, padding } = config;
  const score = (x: tf.Tensor4D) => {
    const product = scoringConvolution(x, kernel, { strides, padding });
    return bias ? tf.add(product, bias) : product;
  };
  const convolve = (x: tf.Tensor4D, attributes: tf.NamedAttrMap): tf.Tensor =>
    bias
      ? tf.engine().runKernel('FusedConv2D', { x, filter: kernel, bias }, { ...attributes, activation: 'linear' })
      : tf.engine().runKernel('Conv2D', { x, filter: kernel }, attributes);
  return {
    trainable: weights,
    forward([input], mode): Forward {
      const x = input as tf.Tensor4D;
      const attributes = { strides, pad: padding, dataFormat: 'NHWC', dilations: [1, 1] };
      const output = mode === 'scoring' ? score(x) : convolve(x, attributes);
      const saved = mode === 'scoring' ? undefined : tf.clone(x);
      return {
        output,
        saved: saved ? [saved] : [],
        backward: (dy, wanted) => ({
          inputs: wanted.inputs
            ? [
                tf
                  .engine()
                  .runKernel('Conv2DBackpropInput', { dy, filter: kernel }, { ...attributes, inputShape: x.shape }),
              ]
            : [],
          weights: wanted.weights
            ? weights.map((weight) =>
                weight.variable === bias
                  ? tf.sum(dy, [0, 1, 2])
                  : tf
                      .engine()
                      .runKernel(
                        'Conv2DBackpropFilter',
                        { x: saved!, dy },
                        { ...attributes, filterShape: kernel.shape },
                      ),
              )
            : [],
        }),
      };
    },
  };
}
