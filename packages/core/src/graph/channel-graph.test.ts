import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, model as layersModel, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { chain, image, modelOf } from '../../test/support/small-models.ts';
import { ZeroPadShortcut } from '../layers/zero-pad-shortcut.ts';
import { readGraph } from './channel-graph.ts';

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
    expect(graph.groups).toMatchObject([
      {
        layer: 'conv1',
        filters: 4,
        members: [
          { layer: 'conv1', role: 'produces' },
          { layer: 'norm1', role: 'passes' },
          { layer: 'relu1', role: 'passes' },
          { layer: 'pool1', role: 'passes' },
          { layer: 'conv2', role: 'consumes' },
        ],
      },
      {
        layer: 'conv2',
        filters: 5,
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
    expect(withDense.groups.map((group) => group.layer)).toEqual(['conv1', 'conv2', 'hidden']);
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
    expect(graph.groups.map((group) => group.layer)).toEqual(['inner']);
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
      'a known library class without a rule',
      () => layers.separableConv2d({ name: 'x', filters: 2, kernelSize: 3 }),
      "feeds layer 'x' of class SeparableConv2D, which the channel graph does not know",
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
      'channels-first layers',
      () => layers.maxPooling2d({ name: 'x', poolSize: 2, dataFormat: 'channelsFirst' }),
      "feeds layer 'x' (MaxPooling2D), which keeps channels first",
    ],
  ])('freezes what feeds %s', (_, make, reason) => {
    const input = image(8, 3);
    const model = modelOf(input, chain(input, conv('before', 8), layers.reLU(), make(), conv('after'), conv('last')));
    const graph = readGraph(model);
    expect(graph.frozen[0]).toEqual({ layer: 'before', reason });
    expect(graph.groups.map((group) => group.layer)).toEqual(['after']);
  });

  it('freezes around a nested model', () => {
    const inside = image(8, 4);
    const nested = layersModel({ inputs: inside, outputs: chain(inside, conv('nested_conv')), name: 'nested' });
    const input = image(8, 3);
    const x = nested.apply(chain(input, conv('before'))) as SymbolicTensor;
    const graph = readGraph(modelOf(input, chain(x, conv('after'), conv('last'))));
    expect(graph.frozen[0]!.reason).toMatch(/^feeds layer 'nested' of class (Model|Functional), which/);
    expect(graph.groups.map((group) => group.layer)).toEqual(['after']);
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
    expect(readGraph(model).groups.map((group) => group.layer)).toEqual(['a']);
  });

  it('refuses a layer that is used in two places, but not one that is also used in another model', () => {
    const input = image(8, 4);
    const shared = conv('shared');
    const once = chain(input, shared);
    const sum = layers.add().apply([once, chain(once, shared)]) as SymbolicTensor;
    expect(() => readGraph(modelOf(input, sum))).toThrow("Layer 'shared' (Conv2D) is applied more than once in model");
    expect(readGraph(modelOf(input, chain(once, conv('next')))).groups.map((group) => group.layer)).toEqual(['shared']);
  });

  it('refuses a model with several outputs', () => {
    const input = image(8, 4);
    const model = layersModel({ inputs: input, outputs: [chain(input, conv('a')), chain(input, conv('b'))] });
    expect(() => readGraph(model)).toThrow('Expected a model with one input and one output');
  });
});
