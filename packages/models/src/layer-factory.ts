import { PositionEmbedding, SelfAttention } from '@secateur/core';
import { initializers, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Initialisation } from './initialisation.ts';

interface ConvolutionOptions {
  readonly filters: number;
  readonly useBias: boolean;
}

interface Conv3x3Options extends ConvolutionOptions {
  readonly strides?: 1 | 2;
}

interface PatchOptions {
  readonly patchSize: number;
  readonly filters: number;
}

interface AttentionOptions {
  readonly heads: number;
  readonly headSize: number;
}

/** The layers that the networks share, each started as the network's `Initialisation` says; biases and shifts start from 0. */
export class LayerFactory {
  readonly #seed: number;
  readonly #initialisation: Initialisation;
  /** Starts at 1: tfjs takes the seed 0 for none. */
  #streams = 1;

  constructor(seed: number, initialisation: Initialisation) {
    this.#seed = seed;
    this.#initialisation = initialisation;
  }

  /** Cross-correlation of 3x3 kernels with one pixel of zeros around the image, whatever the stride. */
  conv3x3(x: SymbolicTensor, name: string, { filters, useBias, strides = 1 }: Conv3x3Options): SymbolicTensor {
    const { input, padding } = padByOne(x, name, strides);
    const kernelInitializer = this.#convolution(9 * channels(x), 9 * filters);
    return layers
      .conv2d({ name, filters, kernelSize: 3, strides, padding, useBias, kernelInitializer })
      .apply(input) as SymbolicTensor;
  }

  conv1x1(x: SymbolicTensor, name: string, { filters, useBias }: ConvolutionOptions): SymbolicTensor {
    const kernelInitializer = this.#convolution(channels(x), filters);
    return layers.conv2d({ name, filters, kernelSize: 1, useBias, kernelInitializer }).apply(x) as SymbolicTensor;
  }

  /** One 3x3 kernel for each channel, padded like {@link conv3x3}. */
  depthwiseConv3x3(x: SymbolicTensor, name: string, { strides }: { readonly strides: 1 | 2 }): SymbolicTensor {
    const { input, padding } = padByOne(x, name, strides);
    const depthwiseInitializer = this.#convolution(9, 9 * channels(x));
    return layers
      .depthwiseConv2d({ name, kernelSize: 3, strides, padding, useBias: false, depthwiseInitializer })
      .apply(input) as SymbolicTensor;
  }

  /** Doubles height and width: every pixel becomes 2x2 pixels. */
  upConv2x2(x: SymbolicTensor, name: string, filters: number): SymbolicTensor {
    const kernelInitializer = this.#convolution(channels(x), 4 * filters);
    return layers
      .conv2dTranspose({ name, filters, kernelSize: 2, strides: 2, padding: 'valid', kernelInitializer })
      .apply(x) as SymbolicTensor;
  }

  /** The same linear map of every square patch; patches do not overlap. */
  patches(x: SymbolicTensor, name: string, { patchSize, filters }: PatchOptions): SymbolicTensor {
    const taps = patchSize * patchSize;
    const kernelInitializer = this.#convolution(taps * channels(x), taps * filters);
    return layers
      .conv2d({ name, filters, kernelSize: patchSize, strides: patchSize, kernelInitializer })
      .apply(x) as SymbolicTensor;
  }

  batchNorm(x: SymbolicTensor, name: string, { scale }: { readonly scale: number }): SymbolicTensor {
    const gammaInitializer = initializers.constant({ value: scale });
    return layers
      .batchNormalization({ name, epsilon: 1e-5, momentum: 0.9, gammaInitializer })
      .apply(x) as SymbolicTensor;
  }

  layerNorm(x: SymbolicTensor, name: string): SymbolicTensor {
    return layers.layerNormalization({ name, epsilon: 1e-6 }).apply(x) as SymbolicTensor;
  }

  activation(x: SymbolicTensor, name: string, activation: 'relu' | 'relu6' | 'gelu'): SymbolicTensor {
    return layers.activation({ name, activation }).apply(x) as SymbolicTensor;
  }

  relu(x: SymbolicTensor, name: string): SymbolicTensor {
    return this.activation(x, name, 'relu');
  }

  add(inputs: SymbolicTensor[], name: string): SymbolicTensor {
    return layers.add({ name }).apply(inputs) as SymbolicTensor;
  }

  concatenate(inputs: SymbolicTensor[], name: string): SymbolicTensor {
    return layers.concatenate({ name }).apply(inputs) as SymbolicTensor;
  }

  dense(x: SymbolicTensor, name: string, units: number): SymbolicTensor {
    const kernelInitializer = this.#initialisation.dense(this.#nextSeed());
    return layers.dense({ name, units, kernelInitializer }).apply(x) as SymbolicTensor;
  }

  selfAttention(x: SymbolicTensor, name: string, { heads, headSize }: AttentionOptions): SymbolicTensor {
    const units = channels(x);
    return new SelfAttention({ name, heads, headSize, units, seed: this.#nextSeed(4) }).apply(x) as SymbolicTensor;
  }

  positionEmbedding(x: SymbolicTensor, name: string): SymbolicTensor {
    return new PositionEmbedding({ name, seed: this.#nextSeed() }).apply(x) as SymbolicTensor;
  }

  #convolution(fanIn: number, fanOut: number) {
    return this.#initialisation.convolution({ in: fanIn, out: fanOut }, this.#nextSeed());
  }

  /** Seed of the next kernel, and of the `kernels` - 1 that follow: no two of a network share one while it has fewer than 4096. */
  #nextSeed(kernels = 1): number {
    const seed = this.#seed * 4096 + this.#streams;
    this.#streams += kernels;
    return seed;
  }
}

/**
 * At stride 2 on even sizes 'same' pads below and to the right only, and so looks at other pixels than the networks of the
 * literature, which pad every side by one.
 */
function padByOne(x: SymbolicTensor, name: string, strides: number) {
  if (strides === 1) return { input: x, padding: 'same' } as const;
  const input = layers.zeroPadding2d({ padding: 1, name: `${name}_pad` }).apply(x) as SymbolicTensor;
  return { input, padding: 'valid' } as const;
}

function channels(x: SymbolicTensor): number {
  return x.shape.at(-1) as number;
}
