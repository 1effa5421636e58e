import {
  denseNet,
  mobileNetV2,
  type NetworkOptions,
  type ResNetDepth,
  resnet,
  vgg11,
  vgg16,
  vgg19,
} from '@secateur/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';

const residual = (depth: ResNetDepth) => (options: NetworkOptions) => resnet({ depth, ...options });

const BUILDERS = {
  vgg11,
  vgg16,
  vgg19,
  resnet20: residual(20),
  resnet32: residual(32),
  resnet44: residual(44),
  resnet56: residual(56),
  resnet110: residual(110),
  mobilenetv2: mobileNetV2,
  densenet40: denseNet,
} satisfies Record<string, (options: NetworkOptions) => LayersModel>;

export type NetworkName = keyof typeof BUILDERS;

export const NETWORKS = Object.keys(BUILDERS) as [NetworkName, ...NetworkName[]];

export function buildNetwork(name: NetworkName, options: NetworkOptions): LayersModel {
  return BUILDERS[name](options);
}
