import '@secateur/core';
import '@tensorflow/tfjs-backend-cpu';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeModel } from '../src/graph/decode.ts';
import { onnx } from '../src/graph/proto.ts';
import { importOnnx } from '../src/index.ts';
import { type File, type FileNode, floats, integers, onnxFile } from './onnx-files.ts';

const ones = (...dims: number[]) => floats(dims, () => 1);
const conv = { op: 'Conv', inputs: ['x', 'w'] };

async function messageOf(file: File | Uint8Array, options?: Parameters<typeof importOnnx>[1]): Promise<string> {
  try {
    await importOnnx(file instanceof Uint8Array ? file : onnxFile(file), options);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('Expected the file to be refused.');
}

describe('a file that is no graph of images', () => {
  it.each<[string, File, string]>([
    [
      'a missing weight',
      { nodes: [conv] },
      "Node 'Conv_0' (Conv) reads 'w', which is no initialiser, no input and no node's output.",
    ],
    [
      'a missing output',
      { nodes: [conv], tensors: { w: ones(2, 3, 3, 3) }, outputs: ['z'] },
      "The graph has as its output 'z'",
    ],
    [
      'a cycle',
      {
        nodes: [
          { op: 'Add', inputs: ['x', 'b'], outputs: ['a'] },
          { op: 'Relu', inputs: ['a'], outputs: ['b'] },
          { op: 'Relu', inputs: ['b'] },
        ],
      },
      'The graph has a cycle: node',
    ],
    [
      'two makers of one value',
      { nodes: [{ op: 'Relu' }, { op: 'Tanh', name: 'second' }] },
      "The value 'y' is made twice, the second time by node 'second'.",
    ],
    ['several inputs', { nodes: [{ op: 'Relu' }], inputs: ['x', 'z'] }, "has 2: 'x', 'z'"],
    ['several outputs', { nodes: [{ op: 'Relu' }], outputs: ['y', 'x'] }, 'Name one in the option output.'],
    [
      'an open size',
      { nodes: [conv], tensors: { w: ones(2, 3, 3, 3) }, input: ['n', 3, 'h', 8] },
      'Give inputShape as',
    ],
    ['an old operator set', { nodes: [{ op: 'Relu' }], opset: 6 }, 'Expected operator set 7 or newer'],
    [
      'constants alone',
      { nodes: [{ op: 'Identity', inputs: ['w'] }], tensors: { w: ones(2) } },
      'does not depend on the input',
    ],
  ])('%s', async (_what, file, message) => {
    expect(await messageOf(file)).toContain(message);
  });

  it('takes the sizes that a file leaves open, and one of several outputs', async () => {
    const file = onnxFile({
      nodes: [
        { ...conv, outputs: ['a'] },
        { op: 'GlobalAveragePool', inputs: ['a'], outputs: ['b'] },
        { op: 'Flatten', inputs: ['b'] },
        { op: 'NoSuchOperator', inputs: ['a'], outputs: ['other'] },
      ],
      tensors: { w: ones(2, 3, 3, 3) },
      input: ['n', 3, 'h', 'w'],
      outputs: ['other', 'y'],
    });
    const { model } = await importOnnx(file, { inputShape: [9, 8, 3], output: 'y' });
    expect(model.inputs[0]!.shape).toEqual([null, 9, 8, 3]);
    model.dispose();
    expect(await messageOf(file, { output: 'nowhere' })).toContain(
      "Expected output 'nowhere', but the graph has 'other', 'y'.",
    );
    expect(await messageOf(file, { inputShape: [9, 8, 4], output: 'y' })).toContain(
      '[batch, 3, ?, ?] (NCHW) and the option',
    );
  });
});

describe('nodes that do not fit', () => {
  it('are all listed, with the reasons, and nothing stays allocated', async () => {
    const nodes: FileNode[] = [
      { ...conv, outputs: ['a'], name: 'stem' },
      { op: 'LRN', inputs: ['a'], outputs: ['b'], name: 'norm1' },
      { op: 'Relu', inputs: ['b'], outputs: ['c'], name: 'behind' },
      { op: 'Attention', inputs: ['c'], outputs: ['d'], name: 'head\u001b[31m', domain: 'com.example' },
      { op: 'Conv', inputs: ['x', 'narrow'], outputs: ['e'], name: 'wrong' },
      { op: 'Sum', inputs: ['d', 'e'], name: 'sum' },
    ];
    const before = tf.memory().numTensors;
    const message = await messageOf({ nodes, tensors: { w: ones(2, 3, 3, 3), narrow: ones(2, 4, 3, 3) } });
    expect(message.split('\n').slice(0, 4)).toEqual([
      'The ONNX model cannot be imported: 3 of 6 nodes cannot be imported:',
      "  - 'norm1' (LRN): no layer is known for this operator",
      "  - 'head?[31m' (com.example.Attention): no layer is known for this operator",
      "  - 'wrong' (Conv): has a kernel of [2,4,3,3] in 1 groups, which does not fit an image of 3 channels",
    ]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each<[string, FileNode, File['tensors'], string]>([
    ['kernel', conv, { w: ones(2, 3, 3) }, 'expected two-dimensional convolution'],
    ['strides', { ...conv, attributes: { strides: [0, 1] } }, { w: ones(2, 3, 3, 3) }, "has [0,1] for 'strides'"],
    ['window', conv, { w: ones(2, 3, 9, 9) }, 'looks through a window of 9 x 9 at an image of 8 x 8'],
    [
      'bias',
      { ...conv, inputs: ['x', 'w', 'b'] },
      { w: ones(2, 3, 3, 3), b: ones(3) },
      'has the bias of shape [3]; expected [2]',
    ],
    ['shape', { op: 'Reshape', inputs: ['x', 's'] }, { s: integers(0, 100) }, 'reshapes [batch, 3,8,8] to [0,100]'],
    [
      'batch',
      { op: 'Transpose', attributes: { perm: [1, 0, 2, 3] } },
      {},
      'expected a permutation of 4 axes with the batch first',
    ],
    ['axes', { op: 'Squeeze', inputs: ['x', 's'] }, { s: integers(7) }, 'names axis 7 of a tensor with 4 axes'],
    ['pads', { op: 'Pad', inputs: ['x', 's'] }, { s: integers(1, 2) }, 'has pads [1,2]; expected two integers'],
    [
      'huge pads',
      { op: 'Pad', inputs: ['x', 's'] },
      { s: integers(0, 0, 2 ** 40, 0, 0, 0, 0, 0) },
      'has pads [0,0,1099511627776',
    ],
    [
      'constants',
      { op: 'Add', inputs: ['x', 's'] },
      { s: ones(3, 8, 1) },
      'expected one number, or one for each channel',
    ],
    [
      'training',
      { op: 'BatchNormalization', inputs: ['x', 's', 's', 's', 's'], attributes: { training_mode: 1 } },
      { s: ones(3) },
      'export the network in evaluation mode',
    ],
  ])('%s', async (_what, node, tensors, message) => {
    expect(await messageOf({ nodes: [node], tensors: tensors ?? {} })).toContain(message);
  });
});

describe('limits', () => {
  const chain = (length: number): File => ({
    nodes: Array.from({ length }, (_, i) => ({
      op: 'Relu',
      inputs: [i === 0 ? 'x' : `v${i}`],
      outputs: [i === length - 1 ? 'y' : `v${i + 1}`],
    })),
  });

  it('let chains be as deep as tfjs-layers builds them, and no deeper', async () => {
    const { model } = await importOnnx(onnxFile(chain(1500)));
    expect(model.layers).toHaveLength(1501);
    model.dispose();
    expect(await messageOf(chain(1501))).toContain('Expected at most 1500 nodes one behind the other');
    expect(await messageOf(chain(30), { limits: { nodes: 29 } })).toContain('Expected at most 29 nodes');
    expect(await messageOf(chain(3), { limits: { bytes: 100 } })).toContain('Expected a model of at most 100 bytes');
    expect(await messageOf(chain(3), { limits: { values: 191 } })).toContain('at most 191 values an image');
    await expect(importOnnx(onnxFile(chain(3)), { limits: { depth: 0 } })).rejects.toThrow("the limit 'depth'");
  });

  it('keep a small file from asking for much', async () => {
    const huge = { op: 'ConstantOfShape', inputs: ['s'], outputs: ['a'] };
    const added = { op: 'Add', inputs: ['x', 'a'] };
    const message = await messageOf({ nodes: [huge, added], tensors: { s: integers(2 ** 20, 2 ** 20) } });
    expect(message).toMatch(/'ConstantOfShape_0' \(ConstantOfShape\): asks for more than \d+ weights and constants/);
    const dilated = { ...conv, attributes: { dilations: [2 ** 20, 2 ** 20], strides: [2, 2] } };
    expect(await messageOf({ nodes: [dilated], tensors: { w: ones(2, 3, 3, 3) } })).toMatch(
      /asks for more than \d+ weights/,
    );
    expect(await messageOf({ nodes: [{ op: 'Relu' }], input: ['n', 2 ** 20, 2 ** 20, 2 ** 20] })).toContain(
      'expected sizes of at least 1 and at most 268435456 values an image',
    );
  });

  it('hold for the encoding itself', async () => {
    const field = (number: number, content: readonly number[]) => [number * 8 + 2, content.length, ...content];
    const truncated = onnxFile(chain(1)).subarray(0, 20);
    expect(await messageOf(truncated)).toMatch(/expected an ONNX model, but found .* at byte \d+/);
    expect(await messageOf(new Uint8Array())).toContain('expected an ONNX model');
    expect(await messageOf(Uint8Array.from(field(7, [8, 1])))).toContain(
      'found wire type 0 in Graph field 1, which is a message',
    );
    expect(await messageOf(Uint8Array.from(field(7, field(1, [0x0b, 0x0c]))))).toContain(
      'found wire type 3 in place of 2 in Node',
    );
    // A graph in an attribute of a node in a graph, and so on.
    let nested: number[] = [];
    for (let depth = 0; depth < 9; depth++) nested = field(1, field(5, field(6, nested)));
    const varint = (value: number) => (value < 128 ? [value] : [(value % 128) + 128, Math.floor(value / 128)]);
    expect(await messageOf(Uint8Array.from([7 * 8 + 2, ...varint(nested.length), ...nested]))).toContain(
      'nested more than 24 deep',
    );
    const empty = Uint8Array.from({ length: 4_000_003 * 2 }, (_, i) => (i % 2 === 0 ? 8 * 8 + 2 : 0));
    expect(await messageOf(empty)).toContain('more than 2000000 fields');
  });
});

describe('tensors', () => {
  /** The file with its one weight changed. */
  function withWeight(change: Record<string, unknown>): Uint8Array {
    const model = decodeModel(onnxFile({ nodes: [conv], tensors: { w: ones(2, 3, 1, 1) } }));
    Object.assign(model.graph!.initializer![0]!, change);
    return new Uint8Array(onnx.ModelProto.encode(model).finish());
  }

  it.each<[string, Record<string, unknown>, string]>([
    [
      'too few bytes',
      { rawData: new Uint8Array(20) },
      "Tensor 'w' should have 6 values of 4 bytes each, but 20 bytes are stored.",
    ],
    [
      'too few numbers',
      { rawData: new Uint8Array(), floatData: [1, 2] },
      'of shape [2,3,1,1] should have 6 values, but 2',
    ],
    ['negative sizes', { dims: [2, -3, 1, 1] }, 'has sizes [2,-3,1,1]; expected at most 8 sizes of 0 or more'],
    ['too many sizes', { dims: Array(9).fill(1) }, 'expected at most 8 sizes'],
    ['text', { dataType: 8 }, 'has the data type STRING'],
    ['no type', { dataType: 99 }, 'has the data type 99'],
    [
      'a file elsewhere',
      { dataLocation: 1, externalData: [{ key: 'location', value: 'w.bin' }] },
      "give the model's path in place of its bytes",
    ],
  ])('%s', async (_what, change, message) => {
    expect(await messageOf(withWeight(change))).toContain(message);
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['float_data', { rawData: new Uint8Array(), floatData: Array(6).fill(0.5) }, 0.5],
    ['float16', { dataType: 10, rawData: new Uint8Array(new Uint16Array(6).fill(0xb555).buffer) }, -0.33325195],
    ['float16 in int32_data', { dataType: 10, rawData: new Uint8Array(), int32Data: Array(6).fill(1) }, 2 ** -24],
    ['bfloat16', { dataType: 16, rawData: new Uint8Array(new Uint16Array(6).fill(0x4049).buffer) }, 3.140625],
    ['double', { dataType: 11, rawData: new Uint8Array(new Float64Array(6).fill(0.25).buffer) }, 0.25],
  ])('are read from %s', async (_what, change, value) => {
    const { model } = await importOnnx(withWeight(change));
    const kernel = model.layers[1]!.getWeights()[0]!.dataSync();
    expect([...kernel]).toEqual(Array(6).fill(Math.fround(value)));
    model.dispose();
  });

  describe('in other files', () => {
    let folder: string;
    const write = async (entries: Record<string, string>) => {
      const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
      const path = join(folder, 'inner', 'model.onnx');
      await writeFile(path, withWeight({ rawData: new Uint8Array(), dataLocation: 1, externalData }));
      return path;
    };
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'secateur-'));
      await mkdir(join(folder, 'inner', 'weights'), { recursive: true });
      const values = new Uint8Array(Float32Array.from({ length: 8 }, (_, i) => i).buffer);
      await writeFile(join(folder, 'outside.bin'), values);
      await writeFile(join(folder, 'inner', 'weights', 'w.bin'), values);
      await symlink(join(folder, 'outside.bin'), join(folder, 'inner', 'link.bin'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    it('are read from inside the folder', async () => {
      const { model } = await importOnnx(await write({ location: 'weights/w.bin', offset: '8', length: '24' }));
      // [out, in] in the file, [in, out] in the layer.
      expect([...model.layers[1]!.getWeights()[0]!.dataSync()]).toEqual([2, 5, 3, 6, 4, 7]);
      model.dispose();
    });

    it.each<[Record<string, string>, string]>([
      [{ location: '../outside.bin' }, "expected one inside the model's folder"],
      [{ location: 'weights/../../outside.bin' }, "expected one inside the model's folder"],
      [{ location: '/etc/hostname' }, "expected one inside the model's folder"],
      [{ location: 'link.bin' }, "expected one inside the model's folder"],
      [{ location: '' }, "expected one inside the model's folder"],
      [{ location: '.' }, "expected one inside the model's folder"],
      [{ location: 'weights' }, 'it is not a regular file'],
      [{ location: 'weights/missing.bin' }, 'which is not there; put it beside the model'],
      [{ location: 'weights/w.bin', offset: '16' }, 'expected at least 40 bytes, but it has 32'],
      [{ location: 'weights/w.bin', offset: '-8' }, "at offset '-8'"],
      [{ location: 'weights/w.bin', length: '1e12' }, "the model says length '1e12'"],
    ])('%j', async (entries, message) => {
      await expect(importOnnx(await write(entries))).rejects.toThrow(message);
    });

    it('are no pipes, devices or folders', async () => {
      for (const path of [folder, '/dev/zero', join(folder, 'nothing.onnx')]) {
        await expect(importOnnx(path)).rejects.toThrow(`The ONNX file '${path}' could not be read`);
      }
    });
  });
});
