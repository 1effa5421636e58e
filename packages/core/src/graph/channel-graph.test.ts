import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, model as layersModel, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import { PositionEmbedding } from '../layers/position-embedding.ts';
import { SelfAttention } from '../layers/self-attention.ts';
import { ZeroPadShortcut } from '../layers/zero-pad-shortcut.ts';
import { type ChannelGraph, readGraph } from './channel-graph.ts';
import { describeGraph } from './describe-graph.ts';
import { readNodes } from './nodes.ts';

const conv = (name: string, filters = 4) => layers.conv2d({ name, filters, kernelSize: 3, padding: 'same' });

/** A class that the table does not have. */
class Mystery extends layers.Layer {
  static readonly className = 'Mystery';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.reverse(Array.isArray(inputs) ? inputs[0]! : inputs, -1);
  }
}

describe('readGraph', () => {
  it('groups the filters of a plain network with everything that they touch', () => {
    const input = image(8, 3);
    const model = modelOf(
      input,
      chain(
        input,
        conv('conv1'),
        layers.batchNormalization({ name: 'norm1' }),
        layers.reLU({ name: 'relu1' }),
        layers.maxPooling2d({ poolSize: 2, name: 'pool1' }),
        conv('conv2', 5),
        layers.flatten({ name: 'flatten' }),
        layers.dense({ name: 'hidden', units: 6, activation: 'relu' }),
        layers.dense({ name: 'logits', units: 2, activation: 'softmax' }),
      ),
    );
    const graph = readGraph(model);
    expect(graph.nodes.map((node) => node.name)).toEqual([
      'image',
      'conv1',
      'norm1',
      'relu1',
      'pool1',
      'conv2',
      'flatten',
      'hidden',
      'logits',
    ]);
    expect(graph.groups).toEqual([
      {
        name: 'conv1',
        producers: ['conv1'],
        units: [0, 1, 2, 3].map((filter) => ({ filters: [{ layer: 'conv1', filter }] })),
        members: [
          { layer: 'conv1', role: 'produces' },
          { layer: 'norm1', role: 'passes' },
          { layer: 'relu1', role: 'passes' },
          { layer: 'pool1', role: 'passes' },
          { layer: 'conv2', role: 'consumes' },
        ],
      },
      {
        name: 'conv2',
        producers: ['conv2'],
        units: [0, 1, 2, 3, 4].map((filter) => ({ filters: [{ layer: 'conv2', filter }] })),
        members: [
          { layer: 'conv2', role: 'produces' },
          { layer: 'flatten', role: 'passes' },
          { layer: 'hidden', role: 'consumes' },
        ],
      },
    ]);
    expect(graph.frozen).toEqual([
      { layer: 'hidden', reason: "is of kind 'dense', and only conv layers are pruned" },
      { layer: 'logits', reason: "is the model's output" },
    ]);
    const withDense = readGraph(model, { kinds: ['conv', 'dense'] });
    expect(withDense.groups.map((group) => group.name)).toEqual(['conv1', 'conv2', 'hidden']);
    expect(withDense.frozen).toEqual([{ layer: 'logits', reason: "is the model's output" }]);
  });

  it('freezes what meets in an addition and leaves the inside of the block free', () => {
    const input = image(8, 3);
    const stem = chain(input, conv('stem'), layers.reLU({ name: 'stem_relu' }));
    const inner = chain(stem, conv('inner', 7), layers.reLU({ name: 'inner_relu' }), conv('outer', 8));
    const shortcut = new ZeroPadShortcut({ name: 'shortcut', strides: 1, padChannels: [2, 2] });
    const sum = layers.add({ name: 'sum' }).apply([inner, chain(stem, shortcut)]) as SymbolicTensor;
    const graph = readGraph(
      modelOf(
        input,
        chain(sum, layers.globalAveragePooling2d({ name: 'gap' }), layers.dense({ name: 'out', units: 2 })),
      ),
    );
    expect(graph.groups.map((group) => group.name)).toEqual(['inner']);
    expect(graph.frozen).toEqual([
      { layer: 'stem', reason: "feeds the addition 'sum'" },
      { layer: 'outer', reason: "feeds the addition 'sum'" },
      { layer: 'out', reason: "is the model's output" },
    ]);
  });

  it('lets one layer feed several consumers', () => {
    const input = image(8, 3);
    const stem = chain(input, conv('stem'));
    const branches = ['left', 'right'].map((name) => chain(stem, conv(name)));
    const out = layers.add({ name: 'sum' }).apply(branches) as SymbolicTensor;
    const [group] = readGraph(modelOf(input, out)).groups;
    expect(group!.members.map((member) => `${member.layer} ${member.role}`)).toEqual([
      'stem produces',
      'left consumes',
      'right consumes',
    ]);
  });

  it.each([
    [
      'an unknown class',
      () => new Mystery({ name: 'x' }),
      "feeds layer 'x' of class Mystery, which the channel graph does not know",
    ],
    [
      'a library class without a rule',
      () => layers.timeDistributed({ name: 'x', layer: layers.dense({ units: 4 }) }),
      "feeds layer 'x' of class TimeDistributed, which the channel graph does not know",
    ],
    [
      'a softmax over the channels',
      () => layers.activation({ name: 'x', activation: 'softmax' }),
      "feeds layer 'x' (Activation), which applies softmax across its channels",
    ],
    [
      'batch norm along another axis',
      () => layers.batchNormalization({ name: 'x', axis: 1 }),
      "feeds layer 'x' (BatchNormalization), which normalises along axis 1",
    ],
    [
      'a softmax layer over the channels',
      () => layers.softmax({ name: 'x', axis: 3 }),
      "feeds layer 'x' (Softmax), which applies softmax across its channels",
    ],
    [
      'layer norm over the channels',
      () => layers.layerNormalization({ name: 'x' }),
      "feeds layer 'x' (LayerNormalization), which normalises over all channels together",
    ],
    [
      'a permutation of the channel axis',
      () => layers.permute({ name: 'x', dims: [3, 2, 1] }),
      "feeds layer 'x' (Permute), which moves channels to another axis",
    ],
    [
      'a reshape that mixes channels',
      () => layers.reshape({ name: 'x', targetShape: [4, 8, 12] }),
      "feeds layer 'x' (Reshape), which mixes channels (8 become 12 along the last axis)",
    ],
    [
      'channels-first layers',
      () => layers.maxPooling2d({ name: 'x', poolSize: 2, dataFormat: 'channelsFirst' }),
      "feeds layer 'x' (MaxPooling2D), which keeps channels first",
    ],
  ])('freezes what feeds %s', (_, make, reason) => {
    const input = image(8, 3);
    const model = modelOf(input, chain(input, conv('before', 8), layers.reLU(), make(), conv('after'), conv('last')));
    const graph = readGraph(model);
    expect(graph.frozen[0]).toEqual({ layer: 'before', reason });
    expect(graph.groups.map((group) => group.name)).toEqual(['after']);
  });

  it('freezes a layer with its own softmax, and one that reaches the output unconsumed', () => {
    const input = image(8, 3);
    const attention = layers.conv2d({ name: 'attention', filters: 4, kernelSize: 1, activation: 'softmax' });
    const gap = layers.globalAveragePooling2d({ name: 'gap' });
    expect(readGraph(modelOf(input, chain(input, attention, conv('last'), gap))).frozen).toEqual([
      { layer: 'attention', reason: 'applies softmax across its channels' },
      { layer: 'last', reason: "reaches the model's output through 'gap'" },
    ]);
  });

  it('reads a sequential model', () => {
    const model = sequential({
      layers: [
        layers.conv2d({ name: 'a', filters: 2, kernelSize: 3, inputShape: [8, 8, 3] }),
        layers.conv2d({ name: 'b', filters: 2, kernelSize: 3 }),
      ],
    });
    expect(readGraph(model).groups.map((group) => group.name)).toEqual(['a']);
  });

  it('takes a layer once that is also used in another model', () => {
    const input = image(8, 4);
    const shared = conv('shared');
    const once = chain(input, shared);
    modelOf(input, layers.add().apply([once, chain(once, shared)]) as SymbolicTensor);
    expect(names(readGraph(modelOf(input, chain(once, conv('next')))))).toEqual(['shared']);
  });
});

const names = ({ groups }: ChannelGraph) => groups.map(({ name }) => name);
const filters = ({ groups }: ChannelGraph) =>
  groups.map(({ units }) =>
    units.map((unit) => unit.filters.map(({ layer, filter }) => `${layer} ${filter}`).join(' + ')).join(', '),
  );
const TOGETHER = { coupled: 'together', kinds: ['conv', 'dense', 'attention'] } as const;

describe('readGraph of coupled filters', () => {
  const input = image(8, 3);
  const average = layers.globalAveragePooling2d({ name: 'gap' });
  const logits = () => layers.dense({ name: 'logits', units: 2 });

  it('removes what meets in an addition together, zero channels of a shortcut with it', () => {
    const stem = chain(input, conv('stem', 2));
    const outer = chain(stem, conv('inner', 3), conv('outer', 4));
    const shortcut = chain(stem, new ZeroPadShortcut({ name: 'shortcut', strides: 1, padChannels: [1, 1] }));
    const sum = layers.add({ name: 'sum' }).apply([outer, shortcut]) as SymbolicTensor;
    const model = modelOf(input, chain(sum, average, logits()));
    const graph = readGraph(model, { coupled: 'together' });
    expect(filters(graph)).toEqual([
      'stem 0 + outer 1, stem 1 + outer 2',
      'inner 0, inner 1, inner 2',
      'outer 0, outer 3',
    ]);
    expect(graph.groups[0]!.members.map(({ layer, role }) => `${layer} ${role}`)).toEqual([
      'stem produces',
      'inner consumes',
      'outer produces',
      'shortcut passes',
      'sum joins',
      'gap passes',
      'logits consumes',
    ]);
    expect(describeGraph(graph)).toBe(
      [
        '7 units in 3 groups can be removed:',
        '  stem: 2 units, each of 2 filters that go together',
        '    produces  stem, outer',
        '    passes    shortcut, gap',
        '    joins     sum',
        '    consumes  inner, logits',
        '  inner: 3 units',
        '    produces  inner',
        '    consumes  outer',
        '  outer: 2 units',
        '    produces  outer',
        '    passes    shortcut, gap',
        '    joins     sum',
        '    consumes  logits',
        '1 layer keeps filters:',
        "  logits: is the model's output",
      ].join('\n'),
    );
    expect(names(readGraph(model))).toEqual(['inner']);
  });

  it('says with whom a frozen filter is coupled', () => {
    const [a, b] = [chain(input, conv('a')), chain(input, conv('b'))];
    const sum = layers.add({ name: 'sum' }).apply([a, b]) as SymbolicTensor;
    const mystery = chain(b, new Mystery({ name: 'x' }));
    const graph = readGraph(layersModel({ inputs: input, outputs: [chain(sum, conv('c')), mystery] }), TOGETHER);
    const unknown = "feeds layer 'x' of class Mystery, which the channel graph does not know";
    expect(graph.frozen).toEqual([
      { layer: 'a', reason: `is coupled with 'b', which ${unknown}` },
      { layer: 'b', reason: unknown },
      { layer: 'c', reason: "is the model's output" },
    ]);
  });

  it('freezes those filters of a layer that meet something that stays', () => {
    const [a, b] = [chain(input, conv('a', 2)), chain(input, conv('b', 3))];
    const both = layers.concatenate({ name: 'both' }).apply([a, b]) as SymbolicTensor;
    const c = chain(input, conv('c', 2));
    const other = layers.concatenate({ name: 'other' }).apply([c, input]) as SymbolicTensor;
    const sum = layers.add({ name: 'sum' }).apply([both, other]) as SymbolicTensor;
    const graph = readGraph(modelOf(input, chain(sum, average, logits())), TOGETHER);
    expect(filters(graph)).toEqual(['a 0 + c 0, a 1 + c 1']);
    expect(graph.frozen[0]).toEqual({ layer: 'b', reason: "meets the model's input 'image'" });
    const partly = layers.concatenate({ name: 'partly' }).apply([a, input, input]) as SymbolicTensor;
    const d = chain(input, conv('d', 8));
    const sum2 = layers.add({ name: 'sum2' }).apply([d, partly]) as SymbolicTensor;
    const second = readGraph(modelOf(input, chain(sum2, average, layers.dense({ name: 'out', units: 2 }))), TOGETHER);
    expect(second.frozen[0]).toEqual({
      layer: 'd',
      reason: "meets the model's input 'image'",
      filters: [2, 3, 4, 5, 6, 7],
    });
    expect(describeGraph(second)).toContain("  d, filters 2, 3, 4, 5, 6, 7: meets the model's input 'image'");
  });

  it('takes the gate of squeeze-and-excitation along, and couples an attention map with nothing', () => {
    const x = chain(input, conv('x'));
    const gate = chain(
      x,
      average,
      layers.dense({ name: 'squeeze', units: 2, activation: 'relu' }),
      layers.dense({ name: 'excite', units: 4, activation: 'sigmoid' }),
      layers.reshape({ name: 'gate', targetShape: [1, 1, 4] }),
    );
    const gated = layers.multiply({ name: 'gated' }).apply([x, gate]) as SymbolicTensor;
    const map = chain(gated, layers.conv2d({ name: 'map', filters: 1, kernelSize: 1, activation: 'sigmoid' }));
    const looked = layers.multiply({ name: 'looked' }).apply([gated, map]) as SymbolicTensor;
    const model = modelOf(input, chain(looked, layers.globalMaxPooling2d({ name: 'gmp' }), logits()));
    const graph = readGraph(model, { coupled: 'together' });
    expect(filters(graph)).toEqual(['x 0 + excite 0, x 1 + excite 1, x 2 + excite 2, x 3 + excite 3']);
    expect(graph.frozen[0]).toEqual({
      layer: 'squeeze',
      reason: "is of kind 'dense', and only conv layers are pruned",
    });
    expect(graph.frozen[1]).toEqual({
      layer: 'map',
      reason: "feeds layer 'looked' (Multiply), which spreads it over all channels",
    });
    expect(names(readGraph(model, TOGETHER))).toEqual(['x', 'squeeze']);
  });

  it('couples what a layer in several places reads, and what it puts out where it reads itself', () => {
    const [a, b] = [chain(input, conv('a')), chain(input, conv('b'))];
    const shared = conv('shared', 4);
    const branches = [chain(a, shared), chain(b, shared)];
    const model = modelOf(
      input,
      chain(layers.concatenate({ name: 'both' }).apply(branches) as SymbolicTensor, average, logits()),
    );
    expect(filters(readGraph(model, TOGETHER))).toEqual([
      'a 0 + b 0, a 1 + b 1, a 2 + b 2, a 3 + b 3',
      'shared 0, shared 1, shared 2, shared 3',
    ]);
    expect(readGraph(model).frozen.slice(0, 2)).toEqual(
      ['a', 'b'].map((layer) => ({ layer, reason: "feeds layer 'shared', which is used in several places" })),
    );
    const again = chain(a, shared, shared);
    expect(filters(readGraph(modelOf(input, chain(again, average, logits())), TOGETHER))[0]).toBe(
      'a 0 + shared 0, a 1 + shared 1, a 2 + shared 2, a 3 + shared 3',
    );
  });

  it('follows reshapes where channels survive', () => {
    const grid = chain(
      input,
      average,
      layers.dense({ name: 'units', units: 6 }),
      layers.reshape({ name: 'grid', targetShape: [3, 1, 2] }),
    );
    const rows = chain(grid, conv('rows', 2), layers.reshape({ name: 'row', targetShape: [6] }), logits());
    expect(filters(readGraph(modelOf(input, rows), TOGETHER))).toEqual([
      'units 0 + units 2 + units 4, units 1 + units 3 + units 5',
      'rows 0, rows 1',
    ]);
  });

  it('numbers groups that start with the same layer', () => {
    const c = chain(input, conv('c', 3));
    const parts = layers.concatenate({ name: 'parts' }).apply([chain(input, conv('a', 1)), chain(input, conv('b', 2))]);
    const sum = layers.add({ name: 'sum' }).apply([c, parts as SymbolicTensor]) as SymbolicTensor;
    expect(names(readGraph(modelOf(input, chain(sum, average, logits())), TOGETHER))).toEqual(['c', 'c#2']);
  });

  it('removes heads of attention, and units of a layer over tokens', () => {
    const tokens = layers.inputLayer({ inputShape: [5, 6], name: 'tokens' }).output as SymbolicTensor;
    const x = chain(
      tokens,
      layers.dense({ name: 'embed', units: 4 }),
      new PositionEmbedding({ name: 'where' }),
      new SelfAttention({ name: 'attention', heads: 3, headSize: 2 }),
      layers.dense({ name: 'mlp', units: 3, activation: 'relu' }),
      layers.dense({ name: 'back', units: 4 }),
    );
    const graph = readGraph(modelOf(tokens, x), TOGETHER);
    expect(filters(graph)).toEqual([
      'embed 0, embed 1, embed 2, embed 3',
      'attention 0, attention 1, attention 2',
      'mlp 0, mlp 1, mlp 2',
    ]);
    expect(graph.groups[1]!.members).toEqual([{ layer: 'attention', role: 'produces' }]);
  });

  it('leaves layers alone that it is told to, with what is coupled with them', () => {
    const [a, b] = [chain(input, conv('block1_a')), chain(input, conv('block2_b'))];
    const sum = layers.add({ name: 'sum' }).apply([a, b]) as SymbolicTensor;
    const model = modelOf(input, chain(sum, conv('block1_c'), conv('block3'), average, logits()));
    const graph = readGraph(model, { coupled: 'together', ignore: ['block1_*'] });
    expect(names(graph)).toEqual(['block3']);
    expect(graph.frozen.slice(0, 3)).toEqual([
      { layer: 'block1_a', reason: 'is among the layers to leave alone' },
      { layer: 'block2_b', reason: "is coupled with 'block1_a', which is among the layers to leave alone" },
      { layer: 'block1_c', reason: 'is among the layers to leave alone' },
    ]);
    expect(names(readGraph(model, { coupled: 'together', ignore: ['block?'] }))).toEqual(['block1_a', 'block1_c']);
    expect(() => readGraph(model, { ignore: ['blcok1'] })).toThrow(
      "'blcok1' is none and fits none. Its layers: image,",
    );
  });
});

describe('readGraph of models with models in them', () => {
  it('follows channels into a nested model and out again, at each of its places', () => {
    const inside = layers.inputLayer({ inputShape: [null, null, 4], name: 'inside' }).output as SymbolicTensor;
    const nested = layersModel({ name: 'nested', inputs: inside, outputs: chain(inside, conv('nested_conv', 3)) });
    const input = image(8, 3);
    const twice = ['a', 'b'].map((name) => nested.apply(chain(input, conv(name))) as SymbolicTensor);
    const both = layers.concatenate({ name: 'both' }).apply(twice) as SymbolicTensor;
    const graph = readGraph(modelOf(input, chain(both, conv('last'))), TOGETHER);
    expect(graph.nodes.map(({ name }) => name)).toEqual([
      'image',
      'a',
      'inside',
      'nested_conv',
      'b',
      'inside',
      'nested_conv',
      'both',
      'last',
    ]);
    expect(graph.nodes[3]!.outputShape).toEqual([null, 8, 8, 3]);
    expect(filters(graph)).toEqual([
      'a 0 + b 0, a 1 + b 1, a 2 + b 2, a 3 + b 3',
      'nested_conv 0, nested_conv 1, nested_conv 2',
    ]);
  });

  it('reads several inputs and outputs', () => {
    const [left, right] = ['left', 'right'].map(
      (name) => layers.inputLayer({ inputShape: [8, 8, 3], name }).output as SymbolicTensor,
    );
    const both = layers.add({ name: 'both' }).apply([chain(left!, conv('a')), chain(right!, conv('b'))]);
    const x = chain(both as SymbolicTensor, conv('c'));
    const model = layersModel({ inputs: [left!, right!], outputs: [x, chain(x, conv('d'), conv('e'))] });
    const graph = readGraph(model, TOGETHER);
    expect(names(graph)).toEqual(['a', 'd']);
    expect(graph.frozen).toEqual(['c', 'e'].map((layer) => ({ layer, reason: "is the model's output" })));
    expect(() => readNodes(model)).toThrow('Expected a model with one input and one output');
  });

  it('refuses two layers of one name, which no plan can tell apart', () => {
    const inside = image(8, 3);
    const nested = layersModel({ name: 'nested', inputs: inside, outputs: chain(inside, conv('same', 3)) });
    const input = image(8, 3);
    const model = modelOf(input, nested.apply(chain(input, conv('same', 3))) as SymbolicTensor);
    expect(() => readGraph(model)).toThrow("to have different names, but two are named 'same'");
  });
});
