import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, model as layersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** Applies layers one after another. */
export function chain(input: SymbolicTensor, ...steps: layers.Layer[]): SymbolicTensor {
  return steps.reduce((x, layer) => layer.apply(x) as SymbolicTensor, input);
}

export function image(size: number, channels: number): SymbolicTensor {
  return layers.inputLayer({ inputShape: [size, size, channels], name: 'image' }).output as SymbolicTensor;
}

export function modelOf(inputs: SymbolicTensor, outputs: SymbolicTensor): LayersModel {
  return layersModel({ inputs, outputs });
}

/** Fills every weight with numbers in [-0.5, 0.5), moving variances with positive ones; the same seed gives the same numbers. */
export function fillWeights(model: LayersModel, seed: number): void {
  model.layers
    .flatMap((layer) => layer.weights)
    .forEach((weight, index) => {
      const values = tf.tidy(() => {
        const shape = weight.shape as number[];
        return weight.originalName.endsWith('moving_variance')
          ? tf.randomUniform(shape, 0.5, 1.5, 'float32', seed + index)
          : tf.randomUniform(shape, -0.5, 0.5, 'float32', seed + index);
      });
      weight.write(values);
      values.dispose();
    });
}
