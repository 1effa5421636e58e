import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { HE_FAN_OUT } from './initialisation.ts';
import { LayerFactory } from './layer-factory.ts';
import { type NetworkOptions, rejectOption, resolveOptions, scaleWidth } from './options.ts';

const DENSE_BLOCKS = 3;
const STEM_FILTERS = 16;

export interface DenseNetOptions extends NetworkOptions {
  /** Layers with weights on the longest way through the network: 3 n + 4 for n layers in each dense block. Default 40. */
  readonly depth?: number;
  /** Channels that each layer adds at width 1. Default 12. */
  readonly growth?: number;
}

/**
 * The CIFAR DenseNet without bottleneck or compression (Huang et al. 2017, section 4.2): a 3x3 stem of 16 channels, three
 * dense blocks of (depth - 4) / 3 layers, batch norm and ReLU ahead of every convolution, 1x1 convolution and 2x2 average pool
 * between blocks, global average pool, one dense layer (DenseNet-40 of growth 12: 1,019,722 trainable parameters for 10 classes).
 *
 * [batch, height, width, channels] standardised images -> [batch, classes] logits.
 * Layers: conv1; `block1_layer1_bn`, `..._relu`, `..._conv`, `..._concat`; `transition1_bn`, `..._relu`, `..._conv`,
 * `..._pool`; bn, relu, avgpool, logits. Started with {@link HE_FAN_OUT}, batch-norm scale 1.
 *
 * @throws Error if an option is out of range, naming the option and the value.
 */
export function denseNet({ depth = 40, growth = 12, ...options }: DenseNetOptions = {}): LayersModel {
  const layersPerBlock = (depth - 4) / DENSE_BLOCKS;
  if (!Number.isInteger(layersPerBlock) || layersPerBlock < 1) {
    rejectOption('denseNet', 'depth', '3 n + 4 for n of at least 1, for example 40', depth);
  }
  if (!Number.isInteger(growth) || growth < 1) rejectOption('denseNet', 'growth', 'a positive integer', growth);
  const name = `densenet${depth}`;
  const { classes, width, inputShape, seed } = resolveOptions(options, name, 4);
  const factory = new LayerFactory(seed, HE_FAN_OUT);

  const images = input({ name: 'images', shape: [...inputShape] });
  let x = factory.conv3x3(images, 'conv1', { filters: scaleWidth(STEM_FILTERS, width), useBias: false });
  for (let block = 1; block <= DENSE_BLOCKS; block++) {
    if (block > 1) x = transition(x, factory, `transition${block - 1}`);
    for (let layer = 1; layer <= layersPerBlock; layer++) {
      const place = `block${block}_layer${layer}`;
      let added = normalise(x, factory, `${place}_`);
      added = factory.conv3x3(added, `${place}_conv`, { filters: scaleWidth(growth, width), useBias: false });
      x = factory.concatenate([x, added], `${place}_concat`);
    }
  }
  x = normalise(x, factory, '');
  x = layers.globalAveragePooling2d({ name: 'avgpool', dataFormat: 'channelsLast' }).apply(x) as SymbolicTensor;
  return model({ name, inputs: images, outputs: factory.dense(x, 'logits', classes) });
}

function transition(x: SymbolicTensor, factory: LayerFactory, name: string): SymbolicTensor {
  const mixed = factory.conv1x1(normalise(x, factory, `${name}_`), `${name}_conv`, {
    filters: x.shape.at(-1) as number,
    useBias: false,
  });
  return layers.averagePooling2d({ name: `${name}_pool`, poolSize: 2 }).apply(mixed) as SymbolicTensor;
}

function normalise(x: SymbolicTensor, factory: LayerFactory, prefix: string): SymbolicTensor {
  return factory.relu(factory.batchNorm(x, `${prefix}bn`, { scale: 1 }), `${prefix}relu`);
}
