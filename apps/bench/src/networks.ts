import { resnet, vgg16 } from '@secateur/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { NetworkName } from './train-step/setting.ts';

const BUILDERS: Readonly<Record<NetworkName, (width: number) => LayersModel>> = {
  vgg16: (width) => vgg16({ width }),
  resnet20: (width) => resnet({ depth: 20, width }),
  resnet56: (width) => resnet({ depth: 56, width }),
};

/** For 10 classes of 32 x 32 images. An engine must be registered before. */
export function buildNetwork(name: NetworkName, width: number): LayersModel {
  return BUILDERS[name](width);
}
