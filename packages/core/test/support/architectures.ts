import { type LayersModel, layers, model as layersModel } from '@tensorflow/tfjs-layers';
import { ZeroPadShortcut } from '../../src/layers/zero-pad-shortcut.ts';
import type { Traced, TracedNetwork } from './traced-network.ts';

/** A well-known design in small, for images of `SIZE` x `SIZE` x 3. */
export interface Architecture {
  readonly build: (net: TracedNetwork) => LayersModel;
  /** Groups of the channel graph with their numbers of units, when coupled filters go too. */
  readonly groups: Readonly<Record<string, number>>;
  /** Groups when coupled filters stay. */
  readonly uncoupled: readonly string[];
}

export const SIZE = 8;

type ConvArgs = Omit<Parameters<typeof layers.conv2d>[0], 'kernelSize' | 'filters'> & { readonly kernelSize?: number };

/** Convolution, batch norm, and ReLU unless told otherwise. */
function unit(
  net: TracedNetwork,
  x: Traced,
  name: string,
  { filters, relu = true, ...args }: ConvArgs & { filters: number; relu?: boolean },
): Traced {
  const y = net.sums(x, layers.conv2d({ name, filters, kernelSize: 3, padding: 'same', useBias: false, ...args }));
  const norm = layers.batchNormalization({ name: `${name}_bn` });
  return relu ? net.passes(y, norm, layers.reLU({ name: `${name}_relu` })) : net.passes(y, norm);
}

function classifier(net: TracedNetwork, input: Traced, features: Traced): LayersModel {
  const pooled = net.passes(features, layers.globalAveragePooling2d({ name: 'gap' }));
  const logits = net.sums(pooled, layers.dense({ name: 'logits', units: 3 }));
  return layersModel({ inputs: input.tensor, outputs: logits.tensor });
}

function add(net: TracedNetwork, a: Traced, b: Traced, name: string): Traced {
  const sum = net.joins([a, b], layers.add({ name: `${name}_add` }));
  return net.passes(sum, layers.reLU({ name: `${name}_out` }));
}

const image = (net: TracedNetwork) => net.input('image', [SIZE, SIZE, 3]);

function vgg(net: TracedNetwork): LayersModel {
  const input = image(net);
  let x = unit(net, input, 'conv1', { filters: 4 });
  x = unit(net, x, 'conv2', { filters: 5 });
  x = net.passes(x, layers.maxPooling2d({ name: 'pool', poolSize: 2 }));
  x = net.flatten(unit(net, x, 'conv3', { filters: 6 }), 'flatten');
  x = net.sums(x, layers.dense({ name: 'fc', units: 7, activation: 'relu' }));
  x = net.sums(
    net.passes(x, layers.dropout({ name: 'dropout', rate: 0.5 })),
    layers.dense({ name: 'logits', units: 3 }),
  );
  return layersModel({ inputs: input.tensor, outputs: x.tensor });
}

/** Two stages of two basic blocks, 4 and 8 channels. */
function resnet(net: TracedNetwork, shortcutOf: (x: Traced, name: string) => Traced): LayersModel {
  const input = image(net);
  let x = unit(net, input, 'stem', { filters: 4 });
  for (const [name, filters, strides] of [
    ['s1b1', 4, 1],
    ['s1b2', 4, 1],
    ['s2b1', 8, 2],
    ['s2b2', 8, 1],
  ] as const) {
    const inner = unit(net, x, `${name}_conv1`, { filters, strides });
    const outer = unit(net, inner, `${name}_conv2`, { filters, relu: false });
    x = add(net, outer, strides === 2 ? shortcutOf(x, name) : x, name);
  }
  return classifier(net, input, x);
}

const projected = (net: TracedNetwork) =>
  resnet(net, (x, name) => unit(net, x, `${name}_proj`, { filters: 8, kernelSize: 1, strides: 2, relu: false }));

const zeroPadded = (net: TracedNetwork) =>
  resnet(net, (x, name) =>
    net.maps(x, new ZeroPadShortcut({ name: `${name}_shortcut`, strides: 2, padChannels: [2, 2] }), () => [
      -1, -1, 0, 1, 2, 3, -1, -1,
    ]),
  );

function mobileNetV2(net: TracedNetwork): LayersModel {
  const input = image(net);
  let x = unit(net, input, 'stem', { filters: 4, strides: 2 });
  for (const [name, filters] of [
    ['b1', 6],
    ['b2', 6],
  ] as const) {
    const expanded = unit(net, x, `${name}_expand`, { filters: 12, kernelSize: 1 });
    const deep = net.passes(
      expanded,
      layers.depthwiseConv2d({ name: `${name}_deep`, kernelSize: 3, padding: 'same', useBias: false }),
      layers.batchNormalization({ name: `${name}_deep_bn` }),
      layers.reLU({ name: `${name}_deep_relu`, maxValue: 6 }),
    );
    const narrow = unit(net, deep, `${name}_project`, { filters, kernelSize: 1, relu: false });
    x = x.channels.length === filters ? net.joins([x, narrow], layers.add({ name: `${name}_add` })) : narrow;
  }
  return classifier(net, input, unit(net, x, 'head', { filters: 8, kernelSize: 1 }));
}

function denseNet(net: TracedNetwork): LayersModel {
  const input = image(net);
  let x = net.sums(input, layers.conv2d({ name: 'stem', filters: 4, kernelSize: 3, padding: 'same' }));
  const grow = (name: string) => {
    const before = net.passes(
      x,
      layers.batchNormalization({ name: `${name}_bn` }),
      layers.reLU({ name: `${name}_relu` }),
    );
    const grown = net.sums(before, layers.conv2d({ name, filters: 3, kernelSize: 3, padding: 'same' }));
    x = net.concatenates([x, grown], `${name}_concat`);
  };
  for (const name of ['d1', 'd2']) grow(name);
  x = net.passes(
    unit(net, x, 'transition', { filters: 5, kernelSize: 1 }),
    layers.averagePooling2d({ name: 'transition_pool', poolSize: 2 }),
  );
  for (const name of ['d3', 'd4']) grow(name);
  return classifier(net, input, net.passes(x, layers.batchNormalization({ name: 'last_bn' })));
}

function inception(net: TracedNetwork): LayersModel {
  const input = image(net);
  const x = unit(net, input, 'stem', { filters: 4 });
  const pool = layers.maxPooling2d({ name: 'pool', poolSize: 3, strides: 1, padding: 'same' });
  const branches = [
    unit(net, x, 'one', { filters: 3, kernelSize: 1 }),
    unit(net, unit(net, x, 'three_reduce', { filters: 2, kernelSize: 1 }), 'three', { filters: 4 }),
    unit(net, unit(net, x, 'five_reduce', { filters: 2, kernelSize: 1 }), 'five', { filters: 2, kernelSize: 5 }),
    unit(net, net.passes(x, pool), 'pooled', { filters: 2, kernelSize: 1 }),
  ];
  return classifier(net, input, unit(net, net.concatenates(branches, 'concat'), 'last', { filters: 5 }));
}

function squeezeAndExcitation(net: TracedNetwork): LayersModel {
  const input = image(net);
  const stem = unit(net, input, 'stem', { filters: 4 });
  const inner = unit(net, unit(net, stem, 'conv1', { filters: 5 }), 'conv2', { filters: 4, relu: false });
  const squeezed = net.sums(
    net.passes(inner, layers.globalAveragePooling2d({ name: 'squeeze' })),
    layers.dense({ name: 'reduce', units: 2, activation: 'relu' }),
  );
  const gate = net.passes(
    net.sums(squeezed, layers.dense({ name: 'excite', units: 4, activation: 'sigmoid' })),
    layers.reshape({ name: 'gate', targetShape: [1, 1, 4] }),
  );
  const scaled = net.joins([inner, gate], layers.multiply({ name: 'scale' }));
  return classifier(net, input, add(net, scaled, stem, 'block'));
}

/** An image comes out, so the last convolution is the output. */
function uNet(net: TracedNetwork): LayersModel {
  const input = image(net);
  const top = unit(net, input, 'down1', { filters: 4 });
  const middle = unit(net, net.passes(top, layers.maxPooling2d({ name: 'pool1', poolSize: 2 })), 'down2', {
    filters: 5,
  });
  const bottom = unit(net, net.passes(middle, layers.maxPooling2d({ name: 'pool2', poolSize: 2 })), 'bottom', {
    filters: 6,
  });
  const up = net.sums(bottom, layers.conv2dTranspose({ name: 'up2', filters: 5, kernelSize: 2, strides: 2 }));
  const right = unit(net, net.concatenates([middle, up], 'skip2'), 'right2', { filters: 5 });
  const larger = net.passes(right, layers.upSampling2d({ name: 'up1', size: [2, 2] }));
  const last = unit(net, net.concatenates([top, larger], 'skip1'), 'right1', { filters: 4 });
  const map = net.sums(last, layers.conv2d({ name: 'map', filters: 2, kernelSize: 1 }));
  return layersModel({ inputs: input.tensor, outputs: map.tensor });
}

const RESNET_INNER = ['s1b1_conv1', 's1b2_conv1', 's2b1_conv1', 's2b2_conv1'];

export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  VGG: { build: vgg, groups: { conv1: 4, conv2: 5, conv3: 6, fc: 7 }, uncoupled: ['conv1', 'conv2', 'conv3', 'fc'] },
  'ResNet with projections': {
    build: projected,
    groups: { stem: 4, s1b1_conv1: 4, s1b2_conv1: 4, s2b1_conv1: 8, s2b1_conv2: 8, s2b2_conv1: 8 },
    uncoupled: RESNET_INNER,
  },
  'ResNet with zero padding': {
    build: zeroPadded,
    groups: { stem: 4, s1b1_conv1: 4, s1b2_conv1: 4, s2b1_conv1: 8, s2b1_conv2: 4, s2b2_conv1: 8 },
    uncoupled: RESNET_INNER,
  },
  MobileNetV2: {
    build: mobileNetV2,
    groups: { stem: 4, b1_expand: 12, b1_project: 6, b2_expand: 12, head: 8 },
    uncoupled: ['stem', 'b1_expand', 'b2_expand', 'head'],
  },
  DenseNet: {
    build: denseNet,
    groups: { stem: 4, d1: 3, d2: 3, transition: 5, d3: 3, d4: 3 },
    uncoupled: ['stem', 'd1', 'd2', 'transition', 'd3', 'd4'],
  },
  Inception: {
    build: inception,
    groups: { stem: 4, one: 3, three_reduce: 2, three: 4, five_reduce: 2, five: 2, pooled: 2, last: 5 },
    uncoupled: ['stem', 'one', 'three_reduce', 'three', 'five_reduce', 'five', 'pooled', 'last'],
  },
  'squeeze-and-excitation': {
    build: squeezeAndExcitation,
    groups: { stem: 4, conv1: 5, reduce: 2 },
    uncoupled: ['conv1', 'reduce'],
  },
  'U-Net': {
    build: uNet,
    groups: { down1: 4, down2: 5, bottom: 6, up2: 5, right2: 5, right1: 4 },
    uncoupled: ['down1', 'down2', 'bottom', 'up2', 'right2', 'right1'],
  },
};
