import {
  initializers,
  type LayersModel,
  layers,
  model,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { ZeroPadShortcut } from '../../src/layers/zero-pad-shortcut.ts';

const normal = (seed: number) => initializers.randomNormal({ mean: 0, stddev: 0.3, seed });

/** Two convolutions with batch norm, pooling and two dense layers. */
export function smallVgg(classes = 3): LayersModel {
  return sequential({
    layers: [
      layers.conv2d({
        name: 'conv1',
        inputShape: [8, 8, 3],
        filters: 6,
        kernelSize: 3,
        padding: 'same',
        kernelInitializer: normal(1),
      }),
      layers.batchNormalization({ name: 'bn1', epsilon: 1e-5, momentum: 0.9 }),
      layers.activation({ name: 'relu1', activation: 'relu' }),
      layers.maxPooling2d({ name: 'pool1', poolSize: 2 }),
      layers.conv2d({
        name: 'conv2',
        filters: 5,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        kernelInitializer: normal(2),
      }),
      layers.averagePooling2d({ name: 'pool2', poolSize: 2 }),
      layers.flatten({ name: 'flatten' }),
      layers.dense({ name: 'dense1', units: 7, kernelInitializer: normal(3) }),
      layers.batchNormalization({ name: 'bn2', epsilon: 1e-5, momentum: 0.9 }),
      layers.reLU({ name: 'relu2' }),
      layers.dense({ name: 'logits', units: classes, kernelInitializer: normal(4) }),
    ],
  });
}

/** A stem, a block with an identity shortcut and one with stride 2 and a zero-padding shortcut. */
export function smallResNet(classes = 3): LayersModel {
  const input = layers.inputLayer({ inputShape: [8, 8, 3], name: 'input' }).output as SymbolicTensor;
  const apply = (layer: layers.Layer, x: SymbolicTensor | SymbolicTensor[]) => layer.apply(x) as SymbolicTensor;
  const convBn = (x: SymbolicTensor, name: string, filters: number, strides: number, seed: number) => {
    const padded = strides > 1 ? apply(layers.zeroPadding2d({ padding: [1, 1], name: `${name}_pad` }), x) : x;
    const y = apply(
      layers.conv2d({
        name,
        filters,
        kernelSize: 3,
        strides,
        padding: strides > 1 ? 'valid' : 'same',
        useBias: false,
        kernelInitializer: normal(seed),
      }),
      padded,
    );
    return apply(layers.batchNormalization({ name: `${name}_bn`, epsilon: 1e-5, momentum: 0.9 }), y);
  };
  const relu = (x: SymbolicTensor, name: string) => apply(layers.activation({ activation: 'relu', name }), x);
  let x = relu(convBn(input, 'stem', 4, 1, 1), 'stem_relu');
  const block = (name: string, filters: number, strides: number, seed: number) => {
    const inner = relu(convBn(x, `${name}_conv1`, filters, strides, seed), `${name}_relu1`);
    const y = convBn(inner, `${name}_conv2`, filters, 1, seed + 1);
    const pad = (filters - (x.shape[3] as number)) / 2;
    const shortcut =
      strides === 1 ? x : apply(new ZeroPadShortcut({ strides, padChannels: [pad, pad], name: `${name}_shortcut` }), x);
    x = relu(apply(layers.add({ name: `${name}_add` }), [y, shortcut]), `${name}_relu2`);
  };
  block('block1', 4, 1, 10);
  block('block2', 8, 2, 20);
  const pooled = apply(layers.globalAveragePooling2d({ name: 'gap' }), x);
  return model({
    inputs: input,
    outputs: apply(layers.dense({ name: 'logits', units: classes, kernelInitializer: normal(9) }), pooled),
  });
}
