import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

export interface ZeroPadShortcutConfig extends LayerArgs {
  /** Every n-th row and column is taken. */
  readonly strides: number;
  /** Zero channels put before and after the input's channels. */
  readonly padChannels: readonly [number, number];
}

/**
 * The parameter-free shortcut of CIFAR ResNets (He et al. 2015, option A): subsample in space, pad the channels with zeros.
 * [batch, h, w, c] -> [batch, ceil(h / strides), ceil(w / strides), before + c + after]
 */
export class ZeroPadShortcut extends layers.Layer {
  static readonly className = 'ZeroPadShortcut';
  readonly strides: number;
  readonly padChannels: readonly [number, number];

  constructor(config: ZeroPadShortcutConfig) {
    super(config);
    this.strides = config.strides;
    this.padChannels = config.padChannels;
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    const [batch, height, width, channels] = inputShape as [null, number, number, number];
    const subsampled = (size: number) => Math.ceil(size / this.strides);
    return [batch, subsampled(height), subsampled(width), channels + this.padChannels[0] + this.padChannels[1]];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
      // A pool of one pixel subsamples, and unlike a strided slice it has a gradient in tfjs.
      const subsampled = tf.avgPool(x, 1, this.strides, 'valid');
      return tf.pad(subsampled, [[0, 0], [0, 0], [0, 0], [...this.padChannels]]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), strides: this.strides, padChannels: [...this.padChannels] };
  }
}

tf.serialization.registerClass(ZeroPadShortcut);
