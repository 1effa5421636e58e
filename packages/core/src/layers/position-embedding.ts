import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';

type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;

export interface PositionEmbeddingConfig extends LayerArgs {
  /** Standard deviation of the truncated normal that the embedding starts from. Default 0.02, as in BERT and ViT. */
  readonly initialStddev?: number;
  /** The same seed gives the same embedding. Default: random. */
  readonly seed?: number;
}

/**
 * Adds a learned vector to each position (Dosovitskiy et al. 2020, eq. 1).
 * [batch, tokens, features] -> the same shape. Weight: `embedding` [tokens, features].
 */
export class PositionEmbedding extends layers.Layer {
  static readonly className = 'PositionEmbedding';
  readonly initialStddev: number;
  readonly seed: number | undefined;

  constructor(config: PositionEmbeddingConfig = {}) {
    super(config);
    this.initialStddev = config.initialStddev ?? 0.02;
    this.seed = config.seed;
  }

  override build(inputShape: (number | null)[]): void {
    const [, tokens, features] = inputShape;
    if (inputShape.length !== 3 || typeof tokens !== 'number' || typeof features !== 'number') {
      throw new Error(
        `Expected the input of layer '${this.name}' (PositionEmbedding) to be [batch, tokens, features] with fixed tokens and features, but it is [${inputShape.map((n) => n ?? 'null').join(', ')}].`,
      );
    }
    const stream = this.seed === undefined ? {} : { seed: this.seed + 0.5 }; // tfjs takes 0 for no seed
    const random = initializers.truncatedNormal({ stddev: this.initialStddev, ...stream });
    this.addWeight('embedding', [tokens, features], 'float32', random);
    this.built = true;
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    return tf.tidy(() => tf.add(x, this.weights[0]!.read()));
  }

  override getConfig(): tf.serialization.ConfigDict {
    const seed = this.seed === undefined ? {} : { seed: this.seed };
    return { ...super.getConfig(), initialStddev: this.initialStddev, ...seed };
  }
}

tf.serialization.registerClass(PositionEmbedding);
