import { ZeroPadShortcut } from '@secateur/core';
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { HE_FAN_OUT } from './initialisation.ts';
import { LayerFactory } from './layer-factory.ts';
import { type NetworkOptions, resolveOptions, scaleWidth } from './options.ts';

const DEPTHS = [20, 32, 44, 56, 110] as const;
const STAGE_WIDTHS = [16, 32, 64];

/** Layers with weights on the longest way through the network. */
export type ResNetDepth = (typeof DEPTHS)[number];

export interface ResNetOptions extends NetworkOptions {
  readonly depth: ResNetDepth;
}

/**
 * The CIFAR ResNet (He et al. 2015, section 4.2) with parameter-free shortcuts: a 3x3 stem, three stages of
 * (depth - 2) / 6 basic blocks with 16, 32 and 64 channels, global average pool, one dense layer
 * (ResNet-56: 853,018 trainable parameters for 10 classes at width 1).
 *
 * [batch, height, width, channels] standardised images -> [batch, classes] logits.
 * Layers: conv1, bn1, relu1; in each block `stage1_block1_conv1`, `..._bn1`, `..._relu1`, `..._conv2`, `..._bn2`, `..._add`,
 * `..._relu2`, and `..._shortcut` where the shape changes; avgpool, logits.
 *
 * @throws Error if an option is out of range, naming the option and the value.
 */
export function resnet({ depth, ...options }: ResNetOptions): LayersModel {
  if (!DEPTHS.includes(depth)) {
    throw new Error(
      `resnet: depth must be one of ${DEPTHS.join(', ')}, got ${JSON.stringify(depth) ?? String(depth)}.`,
    );
  }
  const name = `resnet${depth}`;
  const { classes, width, inputShape, seed } = resolveOptions(options, name, 4);
  const factory = new LayerFactory(seed, HE_FAN_OUT);
  const blocks = (depth - 2) / 6;

  const images = input({ name: 'images', shape: [...inputShape] });
  let x = factory.conv3x3(images, 'conv1', { filters: scaleWidth(STAGE_WIDTHS[0]!, width), useBias: false });
  x = factory.batchNorm(x, 'bn1', { scale: 0.5 });
  x = factory.relu(x, 'relu1');
  for (const [stage, channels] of STAGE_WIDTHS.entries()) {
    for (let block = 0; block < blocks; block++) {
      x = basicBlock(x, factory, {
        name: `stage${stage + 1}_block${block + 1}`,
        filters: scaleWidth(channels, width),
        strides: stage > 0 && block === 0 ? 2 : 1,
      });
    }
  }
  x = layers.globalAveragePooling2d({ name: 'avgpool', dataFormat: 'channelsLast' }).apply(x) as SymbolicTensor;
  return model({ name, inputs: images, outputs: factory.dense(x, 'logits', classes) });
}

interface BlockOptions {
  readonly name: string;
  readonly filters: number;
  readonly strides: 1 | 2;
}

function basicBlock(
  x: SymbolicTensor,
  factory: LayerFactory,
  { name, filters, strides }: BlockOptions,
): SymbolicTensor {
  let residual = factory.conv3x3(x, `${name}_conv1`, { filters, strides, useBias: false });
  residual = factory.batchNorm(residual, `${name}_bn1`, { scale: 0.5 });
  residual = factory.relu(residual, `${name}_relu1`);
  residual = factory.conv3x3(residual, `${name}_conv2`, { filters, useBias: false });
  residual = factory.batchNorm(residual, `${name}_bn2`, { scale: 0.5 });

  const missingChannels = filters - (x.shape.at(-1) as number);
  let shortcut = x;
  if (strides > 1 || missingChannels > 0) {
    const before = Math.floor(missingChannels / 2);
    const padChannels = [before, missingChannels - before] as const;
    shortcut = new ZeroPadShortcut({ name: `${name}_shortcut`, strides, padChannels }).apply(x) as SymbolicTensor;
  }
  const sum = factory.add([shortcut, residual], `${name}_add`);
  return factory.relu(sum, `${name}_relu2`);
}
