import {
  denseNet,
  mobileNetV2,
  type NetworkOptions,
  type ResNetDepth,
  resnet,
  uNet,
  vgg11,
  vgg16,
  visionTransformer,
} from '@secateur/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';

const residual = (depth: ResNetDepth) => (options: NetworkOptions) => resnet({ depth, ...options });

const BUILDERS = {
  vgg11,
  vgg16,
  resnet20: residual(20),
  resnet32: residual(32),
  resnet44: residual(44),
  resnet56: residual(56),
  resnet110: residual(110),
  mobilenetv2: mobileNetV2,
  densenet40: denseNet,
  vit: visionTransformer,
  unet: uNet,
} satisfies Record<string, (options: NetworkOptions) => LayersModel>;

export type Architecture = keyof typeof BUILDERS;

export const ARCHITECTURES = Object.keys(BUILDERS) as Architecture[];

/** Those that label images, not pixels. */
export const CLASSIFIERS = ARCHITECTURES.filter((name) => name !== 'unet');

/** An engine must be registered before. */
export function buildNetwork(name: Architecture, options: NetworkOptions): LayersModel {
  return BUILDERS[name](options);
}
