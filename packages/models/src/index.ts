export { ZeroPadShortcut, type ZeroPadShortcutConfig } from '@secateur/core';
export type { NetworkOptions } from './options.ts';
export { type ResNetDepth, type ResNetOptions, resnet } from './resnet.ts';
export { vgg11, vgg16, vgg19 } from './vgg.ts';
