import { type LayersModel, layers, model as layersModel } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { PositionEmbedding } from '../../src/layers/position-embedding.ts';
import { SelfAttention } from '../../src/layers/self-attention.ts';
import { ZeroPadShortcut } from '../../src/layers/zero-pad-shortcut.ts';
import type { Traced, TracedNetwork } from './traced-network.ts';

/** A part of a network; what the numbers mean is up to the kind. */
export interface BlockSpec {
  readonly kind: keyof typeof BLOCKS;
  readonly filters: number;
  readonly other: number;
  readonly flag: boolean;
  readonly choice: number;
  readonly inner: readonly BlockSpec[];
}

export interface NetworkSpec {
  readonly size: number;
  readonly blocks: readonly BlockSpec[];
  readonly head: 'flatten' | 'average' | 'max';
  readonly units: number;
  readonly seed: number;
}

/** Any network of at most four blocks, some with blocks inside. */
export function networkSpecs(): fc.Arbitrary<NetworkSpec> {
  const block = (inner: fc.Arbitrary<BlockSpec[]>): fc.Arbitrary<BlockSpec> =>
    fc.record({
      kind: fc.constantFrom(...(Object.keys(BLOCKS) as BlockSpec['kind'][])),
      filters: fc.integer({ min: 1, max: 4 }),
      other: fc.integer({ min: 1, max: 3 }),
      flag: fc.boolean(),
      choice: fc.nat({ max: 1000 }),
      inner,
    });
  const inside = block(fc.constant([]));
  return fc.record({
    size: fc.integer({ min: 3, max: 5 }),
    blocks: fc.array(block(fc.array(inside, { maxLength: 2 })), { minLength: 1, maxLength: 4 }),
    head: fc.constantFrom('flatten', 'average', 'max'),
    units: fc.integer({ min: 1, max: 4 }),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  });
}

/** Two channels in, three logits out. */
export function buildNetwork(net: TracedNetwork, { size, blocks, head, units }: NetworkSpec): LayersModel {
  const input = net.input('image', [size, size, 2]);
  let x = runBlocks(net, input, blocks, 'b');
  if (head === 'flatten') x = net.passes(net.flatten(x, 'flatten'), layers.batchNormalization({ name: 'flat_norm' }));
  if (head === 'average') x = net.passes(x, layers.globalAveragePooling2d({ name: 'gap' }));
  if (head === 'max') x = net.passes(x, layers.globalMaxPooling2d({ name: 'gmp' }));
  x = net.sums(x, layers.dense({ name: 'hidden', units, activation: 'sigmoid' }));
  x = net.passes(x, layers.dropout({ name: 'dropout', rate: 0.5 }));
  x = net.sums(x, layers.dense({ name: 'logits', units: 3 }));
  return layersModel({ inputs: input.tensor, outputs: x.tensor });
}

function runBlocks(net: TracedNetwork, x: Traced, blocks: readonly BlockSpec[], name: string): Traced {
  return blocks.reduce((y, spec, index) => BLOCKS[spec.kind](net, y, spec, `${name}${index}`), x);
}

type Block = (net: TracedNetwork, x: Traced, spec: BlockSpec, name: string) => Traced;

const sizeOf = ({ tensor }: Traced) => tensor.shape[1]!;
const widthOf = ({ channels }: Traced) => channels.length;

type ConvArgs = Parameters<typeof layers.conv2d>[0];

function conv(net: TracedNetwork, x: Traced, name: string, args: Partial<ConvArgs> & { filters: number }): Traced {
  return net.sums(x, layers.conv2d({ name, kernelSize: 3, padding: 'same', ...args }));
}

function activation(name: string, choice: number): layers.Layer {
  const kinds = [
    () => layers.reLU({ name }),
    () => layers.activation({ name, activation: 'tanh' }),
    () => layers.activation({ name, activation: 'sigmoid' }),
    () => layers.prelu({ name, alphaInitializer: 'glorotUniform' }),
    () => layers.prelu({ name, sharedAxes: [1, 2], alphaInitializer: 'glorotUniform' }),
    () => layers.prelu({ name, sharedAxes: [3], alphaInitializer: 'glorotUniform' }),
    () => layers.leakyReLU({ name }),
    () => layers.elu({ name }),
    () => layers.thresholdedReLU({ name, theta: 0.1 }),
    () => layers.softmax({ name, axis: [1, 2] }),
  ];
  return kinds[choice % kinds.length]!();
}

function merge(name: string, choice: number): layers.Layer {
  const kinds = [layers.add, layers.average, layers.maximum, layers.minimum, layers.multiply];
  return kinds[choice % kinds.length]!({ name });
}

/** As wide as `like`. */
function widen(net: TracedNetwork, x: Traced, like: Traced, name: string): Traced {
  return conv(net, x, name, { filters: widthOf(like), kernelSize: 1, useBias: false });
}

function toTokens(net: TracedNetwork, x: Traced, name: string): Traced {
  return net.passes(x, layers.reshape({ name, targetShape: [sizeOf(x) ** 2, widthOf(x)] }));
}

function toImage(net: TracedNetwork, x: Traced, name: string): Traced {
  const size = Math.sqrt(sizeOf(x));
  return net.passes(x, layers.reshape({ name, targetShape: [size, size, widthOf(x)] }));
}

/** Blocks leave the height and width as they are, and both equal. */
const BLOCKS = {
  conv: (net, x, { filters, other, flag, choice }, name) => {
    let y = conv(net, x, name, { filters, kernelSize: other, useBias: flag });
    if (flag) y = net.passes(y, layers.batchNormalization({ name: `${name}_norm` }));
    y = net.passes(y, activation(`${name}_activation`, choice));
    const pool = { name: `${name}_pool`, poolSize: 2, strides: 1, padding: 'same' } as const;
    return net.passes(y, flag ? layers.maxPooling2d(pool) : layers.averagePooling2d(pool));
  },

  zeroPadResidual: (net, x, { filters, other, flag }, name) => {
    const inner = net.passes(conv(net, x, `${name}_inner`, { filters }), layers.reLU({ name: `${name}_relu` }));
    const pad: [number, number] = [other - 1, flag ? 2 : 0];
    const outer = conv(net, inner, `${name}_outer`, { filters: widthOf(x) + pad[0] + pad[1] });
    const shortcut = new ZeroPadShortcut({ name: `${name}_shortcut`, strides: 1, padChannels: pad });
    const padded = net.maps(x, shortcut, (count) => [
      ...Array.from({ length: pad[0] }, () => -1),
      ...Array.from({ length: count }, (_, i) => i),
      ...Array.from({ length: pad[1] }, () => -1),
    ]);
    return net.joins([outer, padded], layers.add({ name: `${name}_add` }));
  },

  residual: (net, x, { choice, inner }, name) => {
    const branch = widen(net, runBlocks(net, x, inner, `${name}_`), x, `${name}_last`);
    return net.joins([x, branch], merge(`${name}_merge`, choice));
  },

  projection: (net, x, { filters, choice, inner }, name) => {
    const branch = conv(net, runBlocks(net, x, inner, `${name}_`), `${name}_last`, { filters });
    const shortcut = conv(net, x, `${name}_shortcut`, { filters, kernelSize: 1 });
    return net.joins([branch, shortcut], merge(`${name}_merge`, choice));
  },

  invertedResidual: (net, x, { filters, other, flag }, name) => {
    const expanded = net.passes(
      conv(net, x, `${name}_expand`, { filters: filters + 1, kernelSize: 1, useBias: false }),
      layers.batchNormalization({ name: `${name}_norm` }),
      layers.reLU({ name: `${name}_relu`, maxValue: 6 }),
    );
    const deep = layers.depthwiseConv2d({
      name: `${name}_deep`,
      kernelSize: 3,
      padding: 'same',
      depthMultiplier: other,
      useBias: flag,
    });
    const filtered = net.maps(expanded, deep, (count) => {
      return Array.from({ length: count * other }, (_, i) => Math.floor(i / other));
    });
    const y = widen(net, filtered, x, `${name}_project`);
    return flag ? net.joins([x, y], layers.add({ name: `${name}_add` })) : y;
  },

  separable: (net, x, { filters, other, flag }, name) =>
    net.sums(
      x,
      layers.separableConv2d({
        name,
        filters,
        kernelSize: 3,
        padding: 'same',
        depthMultiplier: other,
        useBias: flag,
        activation: 'tanh',
      }),
    ),

  denselyConnected: (net, x, { filters, inner }, name) => {
    const grown = conv(net, runBlocks(net, x, inner, `${name}_`), `${name}_grow`, { filters, activation: 'relu' });
    return net.concatenates([x, grown], `${name}_concat`);
  },

  inception: (net, x, { filters, other, choice }, name) => {
    const narrow = conv(net, x, `${name}_1x1`, { filters, kernelSize: 1, activation: 'relu' });
    const wide = conv(net, narrow, `${name}_3x3`, { filters: other });
    const pooled = net.passes(
      x,
      layers.maxPooling2d({ name: `${name}_pool`, poolSize: 3, strides: 1, padding: 'same' }),
    );
    const parts = [narrow, wide, pooled];
    return net.concatenates([...parts.slice(choice % 3), ...parts.slice(0, choice % 3)], `${name}_concat`);
  },

  squeezeAndExcite: (net, x, { other, flag }, name) => {
    const squeezed = net.sums(
      net.passes(x, layers.globalAveragePooling2d({ name: `${name}_gap` })),
      layers.dense({ name: `${name}_squeeze`, units: other, activation: 'relu' }),
    );
    const gate = net.sums(squeezed, layers.dense({ name: `${name}_excite`, units: widthOf(x), activation: 'sigmoid' }));
    const shaped = flag
      ? net.passes(gate, layers.reshape({ name: `${name}_shape`, targetShape: [1, 1, widthOf(x)] }))
      : gate;
    return net.joins(flag ? [x, shaped] : [shaped, x], layers.multiply({ name: `${name}_scale` }));
  },

  spatialGate: (net, x, { flag }, name) => {
    const map = conv(net, x, `${name}_map`, { filters: 1, activation: 'sigmoid' });
    return net.joins(flag ? [x, map] : [map, x], layers.multiply({ name: `${name}_scale` }));
  },

  uNet: (net, x, { filters, other, flag }, name) => {
    const size = sizeOf(x);
    const down = net.passes(x, layers.maxPooling2d({ name: `${name}_down`, poolSize: 2, padding: 'same' }));
    const bottom = conv(net, down, `${name}_bottom`, { filters, activation: 'relu' });
    const up = flag
      ? net.sums(
          bottom,
          layers.conv2dTranspose({ name: `${name}_up`, filters: other, kernelSize: 2, strides: 2, activation: 'tanh' }),
        )
      : net.passes(bottom, layers.upSampling2d({ name: `${name}_up`, size: [2, 2] }));
    const extra = sizeOf(up) - size;
    const cropping = layers.cropping2D({
      name: `${name}_crop`,
      cropping: [
        [0, extra],
        [extra, 0],
      ],
    });
    return net.concatenates([x, extra > 0 ? net.passes(up, cropping) : up], `${name}_skip`);
  },

  shared: (net, x, { filters, other, flag, choice }, name) => {
    const twice = (y: Traced) => conv(net, y, `${name}_shared`, { filters, activation: 'tanh' });
    const [a, b] = ['a', 'b'].map((part) => conv(net, x, `${name}_${part}`, { filters: flag ? filters : other }));
    const norm = () => layers.batchNormalization({ name: `${name}_norm` });
    const [c, d] = [net.passes(twice(a!), norm()), net.passes(twice(flag ? twice(b!) : b!), norm())];
    return choice % 2 ? net.concatenates([c, d], `${name}_concat`) : net.joins([c, d], merge(`${name}_merge`, choice));
  },

  nested: (net, x, { filters, other, flag }, name) => {
    const inside = (y: Traced) => {
      const hidden = conv(net, y, `${name}_hidden`, { filters });
      return conv(net, net.passes(hidden, layers.elu({ name: `${name}_elu` })), `${name}_out`, { filters: other });
    };
    const once = net.nests(x, name, inside);
    if (!flag) return once;
    const copy = conv(net, x, `${name}_copy`, { filters: widthOf(x) });
    return net.concatenates([once, net.nests(copy, name, inside)], `${name}_both`);
  },

  transformer: (net, x, { filters, other, flag }, name) => {
    let tokens = toTokens(net, x, `${name}_tokens`);
    if (flag) tokens = net.passes(tokens, new PositionEmbedding({ name: `${name}_where` }));
    const seen = net.attends(tokens, new SelfAttention({ name: `${name}_attention`, heads: other, headSize: 2 }));
    const sum = net.joins([tokens, seen], layers.add({ name: `${name}_add` }));
    const normed = flag ? net.passes(sum, layers.layerNormalization({ name: `${name}_norm` })) : sum;
    const hidden = net.sums(normed, layers.dense({ name: `${name}_mlp`, units: filters, activation: 'tanh' }));
    const back = net.sums(hidden, layers.dense({ name: `${name}_back`, units: widthOf(x) }));
    return toImage(net, net.joins([sum, back], layers.add({ name: `${name}_sum` })), `${name}_image`);
  },

  sequence: (net, x, { filters, other }, name) => {
    const tokens = toTokens(net, x, `${name}_tokens`);
    const pool = layers.maxPooling1d({ name: `${name}_pool`, poolSize: 2, strides: 1, padding: 'same' });
    const y = net.sums(
      net.passes(tokens, pool),
      layers.conv1d({ name, filters, kernelSize: other, padding: 'same', activation: 'relu' }),
    );
    return toImage(net, y, `${name}_image`);
  },

  grid: (net, x, { filters, flag }, name) => {
    const size = sizeOf(x);
    const pooled = net.passes(x, layers.globalMaxPooling2d({ name: `${name}_gmp` }));
    const units = net.sums(pooled, layers.dense({ name: `${name}_units`, units: size * size * filters }));
    const reshape = layers.reshape({ name: `${name}_grid`, targetShape: [size, size, filters] });
    // Channel c is made of units c, c + filters, ..., which can only go together.
    const channels = Array.from(
      { length: filters },
      (_, c) => new Set(units.channels.flatMap((unit, i) => (i % filters === c ? [...unit] : []))),
    );
    const image = { ...net.passes(units, reshape), channels };
    return flag ? net.concatenates([image, x], `${name}_concat`) : image;
  },

  stacked: (net, x, { flag }, name) => {
    const y = conv(net, x, `${name}_below`, { filters: widthOf(x) });
    const stack = layers.concatenate({ name: `${name}_stack`, axis: flag ? 1 : 2 });
    const halves: [number, number] = flag ? [2, 1] : [1, 2];
    const pool = layers.averagePooling2d({ name: `${name}_pool`, poolSize: halves, strides: halves });
    return net.passes(net.joins([x, y], stack), pool);
  },

  /** Layers that channels go through by themselves, or that freeze them. */
  through: (net, x, { choice }, name) => {
    const kinds = [
      () => layers.permute({ name, dims: [2, 1, 3] }),
      () => layers.layerNormalization({ name }),
      () => layers.layerNormalization({ name, axis: [1, 2] }),
      () => layers.activation({ name, activation: 'softmax' }),
      () => layers.gaussianNoise({ name, stddev: 1 }),
      () => layers.alphaDropout({ name, rate: 0.5 }),
      () => layers.rescaling({ name, scale: 0.5, offset: 0.25 }),
    ];
    return net.passes(x, kinds[choice % kinds.length]!());
  },
} satisfies Record<string, Block>;
