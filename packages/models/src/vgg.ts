import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { HE_FAN_OUT } from './initialisation.ts';
import { LayerFactory } from './layer-factory.ts';
import { type NetworkOptions, resolveOptions, scaleWidth } from './options.ts';

/** Widths of the convolutions between one max pool and the next. */
type Stages = readonly (readonly number[])[];

const VGG11_STAGES: Stages = [[64], [128], [256, 256], [512, 512], [512, 512]];

const VGG16_STAGES: Stages = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

const VGG19_STAGES: Stages = [
  [64, 64],
  [128, 128],
  [256, 256, 256, 256],
  [512, 512, 512, 512],
  [512, 512, 512, 512],
];

// Four max pools and the average pool: each halves the map, and the last must leave one position.
const SMALLEST_IMAGE = 32;

/**
 * VGG-11 with batch normalisation: 8 convolutions and the head of {@link vgg16}. Shallow and wide: of the VGGs it learns
 * most in a few epochs (9,494,794 trainable parameters for 10 classes at width 1).
 *
 * [batch, height, width, channels] standardised images -> [batch, classes] logits. Layers are named as in {@link vgg16}.
 *
 * @throws Error if an option is out of range, naming the option and the value.
 */
export function vgg11(options: NetworkOptions = {}): LayersModel {
  return buildVgg('vgg11', VGG11_STAGES, [512], resolveOptions(options, 'vgg11', SMALLEST_IMAGE));
}

/**
 * VGG-16 with batch normalisation in its CIFAR form: 13 convolutions, 2x2 average pool, dense 512, dense `classes`
 * (14,991,946 trainable parameters for 10 classes at width 1).
 *
 * [batch, height, width, channels] standardised images -> [batch, classes] logits.
 * Layers: conv1, bn1, relu1 ... conv13, bn13, relu13; pool1 to pool4, avgpool, flatten; dense1, dense1_bn, dense1_relu; logits.
 *
 * @throws Error if an option is out of range, naming the option and the value.
 */
export function vgg16(options: NetworkOptions = {}): LayersModel {
  return buildVgg('vgg16', VGG16_STAGES, [512], resolveOptions(options, 'vgg16', SMALLEST_IMAGE));
}

/**
 * VGG-19 with batch normalisation in its CIFAR form: 16 convolutions, 2x2 average pool, one dense layer
 * (20,086,692 trainable parameters for 100 classes at width 1).
 *
 * [batch, height, width, channels] standardised images -> [batch, classes] logits. Layers are named as in {@link vgg16}.
 *
 * @throws Error if an option is out of range, naming the option and the value.
 */
export function vgg19(options: NetworkOptions = {}): LayersModel {
  return buildVgg('vgg19', VGG19_STAGES, [], resolveOptions(options, 'vgg19', SMALLEST_IMAGE));
}

function buildVgg(
  name: string,
  stages: Stages,
  hiddenUnits: readonly number[],
  { classes, width, inputShape, seed }: Required<NetworkOptions>,
): LayersModel {
  const factory = new LayerFactory(seed, HE_FAN_OUT);
  const images = input({ name: 'images', shape: [...inputShape] });
  let x = images;
  let conv = 0;
  for (const [stage, widths] of stages.entries()) {
    if (stage > 0) x = layers.maxPooling2d({ name: `pool${stage}`, poolSize: 2 }).apply(x) as SymbolicTensor;
    for (const channels of widths) {
      conv += 1;
      x = factory.conv3x3(x, `conv${conv}`, { filters: scaleWidth(channels, width), useBias: true });
      x = factory.batchNorm(x, `bn${conv}`, { scale: 0.5 });
      x = factory.relu(x, `relu${conv}`);
    }
  }
  x = layers.averagePooling2d({ name: 'avgpool', poolSize: 2 }).apply(x) as SymbolicTensor;
  x = layers.flatten({ name: 'flatten' }).apply(x) as SymbolicTensor;
  for (const [index, units] of hiddenUnits.entries()) {
    const dense = `dense${index + 1}`;
    x = factory.dense(x, dense, scaleWidth(units, width));
    x = factory.batchNorm(x, `${dense}_bn`, { scale: 1 });
    x = factory.relu(x, `${dense}_relu`);
  }
  return model({ name, inputs: images, outputs: factory.dense(x, 'logits', classes) });
}
