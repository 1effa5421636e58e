import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';

type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;
type LayerVariable = layers.Layer['weights'][number];

export interface SelfAttentionConfig extends LayerArgs {
  /** Attention heads; heads * headSize need not be the size of the input. */
  readonly heads: number;
  /** Length of the query, key and value that a head makes of each token. */
  readonly headSize: number;
  /** Size of the output. Default: that of the input. */
  readonly units?: number;
  /** Standard deviation of the truncated normal that all kernels start from. Default 0.02, as in BERT and ViT. */
  readonly initialStddev?: number;
  /** The same seed gives the same kernels; the four kernels take the streams from `seed` to `seed + 3`. Default: random. */
  readonly seed?: number;
}

/** Dense layer over the last axis of tokens. */
interface Projection {
  readonly kernel: LayerVariable;
  readonly bias: LayerVariable;
}

const PROJECTIONS = ['query', 'key', 'value', 'output'] as const;
type ProjectionName = (typeof PROJECTIONS)[number];

/**
 * Multi-head self-attention (Vaswani et al. 2017, section 3.2.2): every head h gives softmax(Q_h K_h^T / sqrt(headSize)) V_h,
 * and the output projection mixes the heads.
 * [batch, tokens, inputs] -> [batch, tokens, units]
 *
 * Weights: `query/kernel`, `key/kernel`, `value/kernel` [inputs, heads * headSize], head after head, with biases
 * [heads * headSize]; `output/kernel` [heads * headSize, units] with a bias [units].
 */
export class SelfAttention extends layers.Layer {
  static readonly className = 'SelfAttention';
  readonly heads: number;
  readonly headSize: number;
  readonly units: number | undefined;
  readonly initialStddev: number;
  readonly seed: number | undefined;
  #projections: Readonly<Record<ProjectionName, Projection>> | undefined;

  constructor(config: SelfAttentionConfig) {
    super(config);
    this.heads = this.#positive('heads', config.heads);
    this.headSize = this.#positive('headSize', config.headSize);
    this.units = config.units === undefined ? undefined : this.#positive('units', config.units);
    this.initialStddev = config.initialStddev ?? 0.02;
    this.seed = config.seed;
  }

  override build(inputShape: (number | null)[]): void {
    const [, , inputs] = this.#checkShape(inputShape);
    const inside = this.heads * this.headSize;
    const project = (name: ProjectionName, from: number, to: number): Projection => {
      const stream = this.seed === undefined ? {} : { seed: this.seed + PROJECTIONS.indexOf(name) + 0.5 }; // tfjs takes 0 for no seed
      const random = initializers.truncatedNormal({ stddev: this.initialStddev, ...stream });
      return {
        kernel: this.addWeight(`${name}/kernel`, [from, to], 'float32', random),
        bias: this.addWeight(`${name}/bias`, [to], 'float32', initializers.zeros()),
      };
    };
    this.#projections = {
      query: project('query', inputs, inside),
      key: project('key', inputs, inside),
      value: project('value', inputs, inside),
      output: project('output', inside, this.units ?? inputs),
    };
    this.built = true;
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    const [batch, tokens, inputs] = this.#checkShape(inputShape);
    return [batch, tokens, this.units ?? inputs];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor3D;
      return this.#project('output', this.attend(x));
    });
  }

  /** What the heads put out, before the output projection: [batch, tokens, inputs] -> [batch, tokens, heads * headSize]. */
  attend(x: tf.Tensor3D): tf.Tensor3D {
    return tf.tidy(() => {
      const [query, key, value] = (['query', 'key', 'value'] as const).map((name) =>
        this.#split(this.#project(name, x)),
      );
      const agreement = tf.mul(tf.matMul(query!, key!, false, true), this.headSize ** -0.5);
      return this.#merge(tf.matMul(tf.softmax(agreement), value!), x.shape);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { heads, headSize, initialStddev } = this;
    const units = this.units === undefined ? {} : { units: this.units };
    const seed = this.seed === undefined ? {} : { seed: this.seed };
    return { ...super.getConfig(), heads, headSize, ...units, initialStddev, ...seed };
  }

  #project(name: ProjectionName, x: tf.Tensor3D): tf.Tensor3D {
    const { kernel, bias } = this.#projections![name];
    const [images, tokens, size] = x.shape;
    const product = tf.matMul(tf.reshape(x, [images * tokens, size]), kernel.read() as tf.Tensor2D);
    return tf.reshape(tf.add(product, bias.read()), [images, tokens, kernel.shape[1] as number]);
  }

  /** [batch, tokens, heads * headSize] -> [batch * heads, tokens, headSize]: one list of products, which engines do fastest. */
  #split(x: tf.Tensor3D): tf.Tensor3D {
    const [images, tokens] = x.shape;
    const heads = tf.transpose(tf.reshape(x, [images, tokens, this.heads, this.headSize]), [0, 2, 1, 3]);
    return tf.reshape(heads, [images * this.heads, tokens, this.headSize]);
  }

  /** The other way round. */
  #merge(x: tf.Tensor, [images, tokens]: [number, number, number]): tf.Tensor3D {
    const heads = tf.transpose(tf.reshape(x, [images, this.heads, tokens, this.headSize]), [0, 2, 1, 3]);
    return tf.reshape(heads, [images, tokens, this.heads * this.headSize]);
  }

  #checkShape(inputShape: (number | null)[]): [number | null, number | null, number] {
    const size = inputShape[2];
    if (inputShape.length !== 3 || typeof size !== 'number') {
      throw new Error(
        `Expected the input of layer '${this.name}' (SelfAttention) to be [batch, tokens, features] with a fixed number of features, but it is [${inputShape.map((n) => n ?? 'null').join(', ')}]. Reshape images into tokens first.`,
      );
    }
    return [inputShape[0]!, inputShape[1]!, size];
  }

  #positive(field: string, value: number): number {
    if (Number.isInteger(value) && value > 0) return value;
    throw new Error(
      `Expected ${field} of layer '${this.name}' (SelfAttention) to be a positive integer, but it is ${JSON.stringify(value) ?? String(value)}.`,
    );
  }
}

tf.serialization.registerClass(SelfAttention);
