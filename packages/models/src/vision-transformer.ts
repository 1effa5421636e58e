import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { TRUNCATED_NORMAL } from './initialisation.ts';
import { LayerFactory } from './layer-factory.ts';
import { type NetworkOptions, rejectOption, resolveOptions, scaleWidth } from './options.ts';

export interface VisionTransformerOptions extends NetworkOptions {
  /** Side of a patch in pixels; height and width of the image must be divisible by it. Default 4. */
  readonly patchSize?: number;
  /** Features of a token at width 1, divisible by `heads`. Default 192. */
  readonly features?: number;
  /** Number of blocks. Default 6. */
  readonly depth?: number;
  /** Attention heads in each block. Default 3. */
  readonly heads?: number;
  /** Hidden units of a block's MLP for each feature of a token. Default 4. */
  readonly mlpRatio?: number;
}

/**
 * A small vision transformer (Dosovitskiy et al. 2020) with layer norm ahead of attention and MLP, a learned position
 * embedding, and the mean of all tokens instead of a class token (2,693,194 trainable parameters for 10 classes by default).
 *
 * [batch, height, width, channels] standardised images -> [batch, classes] logits.
 * Layers: patches, tokens, positions; in each block `block1_norm1`, `..._attention`, `..._add1`, `..._norm2`, `..._mlp1`,
 * `..._gelu`, `..._mlp2`, `..._add2`; norm, avgpool, logits. Started like DeiT: {@link TRUNCATED_NORMAL}.
 *
 * @throws Error if an option is out of range, naming the option and the value.
 */
export function visionTransformer({
  patchSize = 4,
  features = 192,
  depth = 6,
  heads = 3,
  mlpRatio = 4,
  ...options
}: VisionTransformerOptions = {}): LayersModel {
  const builder = 'visionTransformer';
  for (const [name, value] of Object.entries({ patchSize, features, depth, heads })) {
    if (!Number.isInteger(value) || value < 1) rejectOption(builder, name, 'a positive integer', value);
  }
  if (features % heads !== 0) rejectOption(builder, 'features', `divisible by the ${heads} heads`, features);
  if (!Number.isFinite(mlpRatio) || mlpRatio <= 0) rejectOption(builder, 'mlpRatio', 'a positive number', mlpRatio);
  const { classes, width, inputShape, seed } = resolveOptions(options, builder, patchSize);
  if (inputShape[0] % patchSize !== 0 || inputShape[1] % patchSize !== 0) {
    rejectOption(builder, 'inputShape', `of a height and width divisible by the patch size ${patchSize}`, inputShape);
  }
  const factory = new LayerFactory(seed, TRUNCATED_NORMAL);
  const headSize = scaleWidth(features / heads, width);
  const tokenSize = heads * headSize;
  const tokens = (inputShape[0] / patchSize) * (inputShape[1] / patchSize);

  const images = input({ name: 'images', shape: [...inputShape] });
  let x = factory.patches(images, 'patches', { patchSize, filters: tokenSize });
  x = layers.reshape({ name: 'tokens', targetShape: [tokens, tokenSize] }).apply(x) as SymbolicTensor;
  x = factory.positionEmbedding(x, 'positions');
  for (let block = 1; block <= depth; block++) {
    const name = `block${block}`;
    const normalised = factory.layerNorm(x, `${name}_norm1`);
    const attended = factory.selfAttention(normalised, `${name}_attention`, { heads, headSize });
    x = factory.add([x, attended], `${name}_add1`);
    x = factory.add([x, mlp(x, factory, name, scaleWidth(tokenSize, mlpRatio))], `${name}_add2`);
  }
  x = factory.layerNorm(x, 'norm');
  x = layers.globalAveragePooling1d({ name: 'avgpool' }).apply(x) as SymbolicTensor;
  return model({ name: `vit${depth}`, inputs: images, outputs: factory.dense(x, 'logits', classes) });
}

function mlp(x: SymbolicTensor, factory: LayerFactory, name: string, hidden: number): SymbolicTensor {
  let y = factory.layerNorm(x, `${name}_norm2`);
  y = factory.dense(y, `${name}_mlp1`, hidden);
  y = factory.activation(y, `${name}_gelu`, 'gelu');
  return factory.dense(y, `${name}_mlp2`, x.shape.at(-1) as number);
}
