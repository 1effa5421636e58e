import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import type { onnx as Onnx } from 'onnx-proto';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkOnnx, exportOnnx } from '../src/index.ts';
import { editModel, float32, int64, sketch } from './onnx-files.ts';
import { randomise } from './oracle.ts';

let bytes: Uint8Array;
beforeAll(async () => {
  const model: LayersModel = sequential({
    name: 'tiny',
    layers: [
      layers.conv2d({ name: 'conv', inputShape: [8, 6, 3], filters: 4, kernelSize: 3 }),
      layers.reLU({ name: 'relu' }),
      layers.flatten({ name: 'flat' }),
      layers.dense({ name: 'fc', units: 2 }),
    ],
  });
  randomise(model, 1);
  bytes = await exportOnnx(model);
  model.dispose();
});

it('knows type and shape of every value', () => {
  expect(Object.fromEntries(checkOnnx(bytes))).toMatchObject({
    input: { type: 'float32', dims: ['batch', 3, 8, 6] },
    'conv/kernel': { type: 'float32', dims: [4, 3, 3, 3] },
    relu: { type: 'float32', dims: ['batch', 4, 6, 4] },
    flat: { type: 'float32', dims: ['batch', 96] },
    logits: { type: 'float32', dims: ['batch', 2] },
  });
});

const named = (graph: Onnx.IGraphProto, name: string) => graph.node!.find((node) => node.name === name)!;
const constant = (graph: Onnx.IGraphProto, name: string) => graph.initializer!.find((tensor) => tensor.name === name)!;

describe('what is wrong with a file is found', () => {
  const faults: [string, (graph: Onnx.IGraphProto, model: Onnx.ModelProto) => void, RegExp][] = [
    [
      'a value twice',
      (g) => {
        named(g, 'relu').output = ['conv'];
      },
      /value 'conv' is defined twice/,
    ],
    [
      'a constant twice',
      (g) => {
        g.initializer!.push(constant(g, 'fc/bias'));
      },
      /value 'fc\/bias' is defined twice/,
    ],
    [
      'a node name twice',
      (g) => {
        named(g, 'relu').name = 'conv';
      },
      /two nodes are called 'conv'/,
    ],
    [
      'no such value',
      (g) => {
        named(g, 'relu').input = ['nowhere'];
      },
      /'relu' \(Relu\) reads 'nowhere', which nothing defines/,
    ],
    [
      'the wrong order',
      (g) => {
        g.node!.reverse();
      },
      /'flat' \(Flatten\) reads 'relu', which 'relu' writes later/,
    ],
    [
      'a cycle',
      (g) => {
        named(g, 'conv').input![0] = 'relu';
      },
      /'conv' \(Conv\) reads 'relu', which 'relu' writes later/,
    ],
    [
      'an unknown operator',
      (g) => {
        named(g, 'relu').opType = 'Rely';
      },
      /'relu' \(Rely\) is no operator that this check knows/,
    ],
    [
      'another domain',
      (g) => {
        named(g, 'relu').domain = 'my';
      },
      /is no operator of domain 'my'/,
    ],
    [
      'an operator of a later opset',
      (g) => {
        named(g, 'relu').opType = 'Mish';
      },
      /'relu' \(Mish\) came with opset 18/,
    ],
    [
      'an unknown attribute',
      (g) => {
        named(g, 'relu').attribute = [{ name: 'slope', type: 1, f: 1 }];
      },
      /attribute 'slope', which the operator does not have in opset 17/,
    ],
    [
      'an attribute of another kind',
      (g) => {
        named(g, 'flat').attribute = [{ name: 'axis', type: 1, f: 1 }];
      },
      /has float for the attribute 'axis'; it takes int/,
    ],
    [
      'an attribute missing',
      (g) => {
        named(g, 'flat').opType = 'Concat';
        named(g, 'flat').attribute = [];
      },
      /lacks the attribute 'axis'/,
    ],
    [
      'too many inputs',
      (g) => {
        named(g, 'relu').input!.push('conv');
      },
      /has 2 inputs; the operator takes 1/,
    ],
    [
      'too many outputs',
      (g) => {
        named(g, 'relu').output!.push('second');
      },
      /has 2 outputs; the operator gives at most 1/,
    ],
    [
      'a shape that does not fit',
      (g) => {
        constant(g, 'fc/kernel').dims = [4, 48];
      },
      /'fc' \(Gemm\) multiplies matrices whose inner sizes are 96 and 48/,
    ],
    [
      'too few bytes',
      (g) => {
        constant(g, 'fc/bias').dims = [3];
      },
      /'fc\/bias' float32 \[3\] takes 12 bytes, but has 8/,
    ],
    [
      'channels that do not fit',
      (g) => {
        constant(g, 'conv/kernel').dims = [6, 2, 3, 3];
      },
      /a kernel for 2 channels, but its input has 3/,
    ],
    [
      'another type',
      (g) => {
        constant(g, 'conv/bias').dataType = 6;
      },
      /takes inputs of one type, but they are float32 and int32/,
    ],
    [
      'a wrong statement',
      (g) => {
        g.output![0]!.type!.tensorType!.shape!.dim![1] = { dimValue: 3 };
      },
      /'logits' is stated to be float32 \[batch, 3\], but is float32 \[batch, 2\]/,
    ],
    [
      'an output from nowhere',
      (g) => {
        g.output![0]!.name = 'odd';
      },
      /output 'odd' is defined by nothing/,
    ],
    [
      'no output',
      (g) => {
        g.output = [];
      },
      /the graph has no output/,
    ],
    [
      'an opset from the future',
      (_, model) => {
        model.opsetImport[0]!.version = 99;
      },
      /opset 99 is not among 7 to/,
    ],
  ];
  it.each(faults)('%s', (_what, edit, message) => {
    expect(() => checkOnnx(editModel(bytes, edit))).toThrow(message);
  });

  it('all of it at once', () => {
    const broken = editModel(bytes, (graph) => {
      named(graph, 'relu').opType = 'Rely';
      constant(graph, 'fc/bias').dims = [3];
    });
    expect(() => checkOnnx(broken)).toThrow(/'tiny' is not valid:\n {2}- .*fc\/bias.*\n {2}- .*Rely/);
  });
});

describe('shapes that contradict their operators are found', () => {
  const x = { x: ['batch', 4, 9, 7] };
  it.each([
    ['Reshape', { shape: int64(0, 5, -1) }, {}, /cannot make \[0,5,-1\] of \[batch, 4, 9, 7\]/],
    ['Reshape', { shape: int64(-1, -1) }, {}, /leaves two sizes open/],
    ['Transpose', {}, { perm: [0, 1, 1, 2] }, /has perm \[0,1,1,2\]/],
    ['Add', { b: float32([5, 1, 1]) }, {}, /sizes 4 and 5 do not go together/],
    ['Gather', { i: int64(4) }, { axis: 1 }, /reads place 4 of an axis of 4/],
    ['Softmax', {}, { axis: 4 }, /has axis 4 of 4 axes/],
    ['MaxPool', {}, { kernel_shape: [10, 2] }, /has a window of 10 over an image of 9 along axis 2/],
    ['MaxPool', {}, { kernel_shape: [2, 2], pads: [1, 1] }, /has pads \[1,1\]; expected 4 numbers/],
    ['Split', { parts: int64(2, 3) }, { axis: 1 }, /has 1 outputs for 2 parts/],
    ['Squeeze', { axes: int64(1) }, {}, /takes away axis 1 .* whose size is not 1/],
    ['Conv', { w: float32([6, 4, 3]) }, {}, /has a kernel \[6, 4, 3\] for an input/],
    ['Conv', { w: float32([5, 2, 3, 3]) }, { group: 2 }, /has 2 groups, which do not divide/],
  ])('%s', (op, constants, attributes, message) => {
    const file = sketch({
      inputs: x,
      constants,
      nodes: [{ op, inputs: ['x', ...Object.keys(constants)], outputs: ['y'], attributes }],
      outputs: ['y'],
    });
    expect(() => checkOnnx(file)).toThrow(message);
  });
});
