import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { initializers, layers } from '@tensorflow/tfjs-layers';

interface Conv3x3Options {
  readonly filters: number;
  readonly useBias: boolean;
  readonly strides?: 1 | 2;
}

/**
 * The layers that VGG and ResNet share, initialised as in the code of the paper's authors (arXiv 2312.05875):
 * convolutions normal(0, sqrt(2 / (k k out))), batch norm scale 0.5 behind convolutions and 1 behind dense layers,
 * dense layers normal(0, 0.01), and zero for biases and shifts.
 */
export class LayerFactory {
  readonly #seed: number;
  #weightedLayers = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Cross-correlation of 3x3 kernels with one pixel of zeros around the image, whatever the stride. */
  conv3x3(x: SymbolicTensor, name: string, { filters, useBias, strides = 1 }: Conv3x3Options): SymbolicTensor {
    let padded = x;
    if (strides > 1) {
      // At stride 2 on even sizes 'same' pads below and to the right only, and so looks at other pixels than
      // the networks of the literature, which pad every side by one.
      padded = layers.zeroPadding2d({ padding: 1, name: `${name}_pad` }).apply(x) as SymbolicTensor;
    }
    const kernelInitializer = this.#normal(Math.sqrt(2 / (3 * 3 * filters)));
    const padding = strides > 1 ? 'valid' : 'same';
    return layers
      .conv2d({ name, filters, kernelSize: 3, strides, padding, useBias, kernelInitializer })
      .apply(padded) as SymbolicTensor;
  }

  batchNorm(x: SymbolicTensor, name: string, { scale }: { readonly scale: number }): SymbolicTensor {
    const gammaInitializer = initializers.constant({ value: scale });
    return layers
      .batchNormalization({ name, epsilon: 1e-5, momentum: 0.9, gammaInitializer })
      .apply(x) as SymbolicTensor;
  }

  relu(x: SymbolicTensor, name: string): SymbolicTensor {
    return layers.activation({ name, activation: 'relu' }).apply(x) as SymbolicTensor;
  }

  dense(x: SymbolicTensor, name: string, units: number): SymbolicTensor {
    return layers.dense({ name, units, kernelInitializer: this.#normal(0.01) }).apply(x) as SymbolicTensor;
  }

  /** A stream of its own for each layer: no two (seed, layer) pairs share one while a network has fewer than 4096 layers. */
  #normal(stddev: number) {
    const seed = this.#seed * 4096 + this.#weightedLayers;
    this.#weightedLayers += 1;
    return initializers.randomNormal({ mean: 0, stddev, seed });
  }
}
