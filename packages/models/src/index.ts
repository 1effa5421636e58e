export {
  PositionEmbedding,
  type PositionEmbeddingConfig,
  SelfAttention,
  type SelfAttentionConfig,
  ZeroPadShortcut,
  type ZeroPadShortcutConfig,
} from '@secateur/core';
export { type DenseNetOptions, denseNet } from './densenet.ts';
export { mobileNetV2 } from './mobilenet-v2.ts';
export type { NetworkOptions } from './options.ts';
export { type ResNetDepth, type ResNetOptions, resnet } from './resnet.ts';
export { type UNetOptions, uNet } from './unet.ts';
export { vgg11, vgg16, vgg19 } from './vgg.ts';
export { type VisionTransformerOptions, visionTransformer } from './vision-transformer.ts';
