import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { HE_FAN_OUT } from './initialisation.ts';
import { LayerFactory } from './layer-factory.ts';
import { type NetworkOptions, resolveOptions, scaleWidth } from './options.ts';

interface Stage {
  readonly expansion: number;
  readonly filters: number;
  readonly blocks: number;
  readonly strides: 1 | 2;
}

/** Sandler et al. 2018, table 2, without the strides of the stem and of stage 2: three halvings fit images of 32 x 32 pixels. */
const STAGES: readonly Stage[] = [
  { expansion: 1, filters: 16, blocks: 1, strides: 1 },
  { expansion: 6, filters: 24, blocks: 2, strides: 1 },
  { expansion: 6, filters: 32, blocks: 3, strides: 2 },
  { expansion: 6, filters: 64, blocks: 4, strides: 2 },
  { expansion: 6, filters: 96, blocks: 3, strides: 1 },
  { expansion: 6, filters: 160, blocks: 3, strides: 2 },
  { expansion: 6, filters: 320, blocks: 1, strides: 1 },
];

/**
 * MobileNetV2 (Sandler et al. 2018) in its CIFAR form: a 3x3 stem of stride 1, 17 inverted residuals with ReLU6, 1280
 * features, global average pool, one dense layer (2,236,682 trainable parameters for 10 classes at width 1).
 *
 * [batch, height, width, channels] standardised images -> [batch, classes] logits.
 * Layers: conv1, bn1, relu1; in each block `stage2_block1_expand`, `..._depthwise`, `..._project`, each with `_bn` and, but
 * for the last, `_relu` behind it (no `expand` in stage 1), and `..._add` where the shapes agree; features, features_bn,
 * features_relu, avgpool, logits. Started like torchvision's: {@link HE_FAN_OUT}, batch-norm scale 1.
 *
 * @throws Error if an option is out of range, naming the option and the value.
 */
export function mobileNetV2(options: NetworkOptions = {}): LayersModel {
  const { classes, width, inputShape, seed } = resolveOptions(options, 'mobileNetV2', 8);
  const factory = new LayerFactory(seed, HE_FAN_OUT);
  const images = input({ name: 'images', shape: [...inputShape] });
  let x = factory.conv3x3(images, 'conv1', { filters: scaleWidth(32, width), useBias: false });
  x = factory.batchNorm(x, 'bn1', { scale: 1 });
  x = factory.activation(x, 'relu1', 'relu6');
  for (const [stage, { expansion, filters, blocks, strides }] of STAGES.entries()) {
    for (let block = 0; block < blocks; block++) {
      x = invertedResidual(x, factory, {
        name: `stage${stage + 1}_block${block + 1}`,
        expansion,
        filters: scaleWidth(filters, width),
        strides: block === 0 ? strides : 1,
      });
    }
  }
  x = factory.conv1x1(x, 'features', { filters: scaleWidth(1280, width), useBias: false });
  x = normaliseAndClip(x, factory, 'features');
  x = layers.globalAveragePooling2d({ name: 'avgpool', dataFormat: 'channelsLast' }).apply(x) as SymbolicTensor;
  return model({ name: 'mobilenetv2', inputs: images, outputs: factory.dense(x, 'logits', classes) });
}

interface BlockOptions {
  readonly name: string;
  readonly expansion: number;
  readonly filters: number;
  readonly strides: 1 | 2;
}

function invertedResidual(
  x: SymbolicTensor,
  factory: LayerFactory,
  { name, expansion, filters, strides }: BlockOptions,
): SymbolicTensor {
  const inputs = x.shape.at(-1) as number;
  let residual = x;
  if (expansion > 1) {
    residual = factory.conv1x1(residual, `${name}_expand`, { filters: expansion * inputs, useBias: false });
    residual = normaliseAndClip(residual, factory, `${name}_expand`);
  }
  residual = factory.depthwiseConv3x3(residual, `${name}_depthwise`, { strides });
  residual = normaliseAndClip(residual, factory, `${name}_depthwise`);
  residual = factory.conv1x1(residual, `${name}_project`, { filters, useBias: false });
  residual = factory.batchNorm(residual, `${name}_project_bn`, { scale: 1 });
  return strides === 1 && inputs === filters ? factory.add([x, residual], `${name}_add`) : residual;
}

function normaliseAndClip(x: SymbolicTensor, factory: LayerFactory, name: string): SymbolicTensor {
  const normalised = factory.batchNorm(x, `${name}_bn`, { scale: 1 });
  return factory.activation(normalised, `${name}_relu`, 'relu6');
}
