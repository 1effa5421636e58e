import { ZeroPadShortcut } from '@secateur/core';
import { input, type LayersModel, layers, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARCHITECTURES } from '../../core/test/support/architectures.ts';
import { buildNetwork, networkSpecs } from '../../core/test/support/random-networks.ts';
import { TracedNetwork } from '../../core/test/support/traced-network.ts';
import { type ExportOptions, exportOnnx, importOnnx } from '../src/index.ts';
import { expectAccepted, hasChecker, without } from './onnx-checker.ts';
import { expectClose, expectSameAnswers, randomImages, randomise, runModel, structureOf } from './oracle.ts';

const pair = (maximum: number) => fc.tuple(fc.integer({ min: 1, max: maximum }), fc.integer({ min: 1, max: maximum }));
const padding = fc.constantFrom('same' as const, 'valid' as const);
const activation = fc.constantFrom('linear' as const, 'relu' as const, 'relu6' as const, 'tanh' as const);
const filters = fc.integer({ min: 1, max: 5 });

const block = fc.oneof(
  fc.record({
    kind: fc.constant('conv' as const),
    filters,
    kernelSize: pair(3),
    strides: pair(2),
    padding,
    activation,
    useBias: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('dilated' as const),
    filters,
    kernelSize: pair(3),
    dilationRate: pair(2),
    padding,
    activation,
  }),
  fc.record({
    kind: fc.constant('depthwise' as const),
    kernelSize: pair(3),
    strides: fc.integer({ min: 1, max: 2 }),
    depthMultiplier: fc.integer({ min: 1, max: 2 }),
    padding,
    useBias: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('norm' as const), scale: fc.boolean(), center: fc.boolean() }),
  fc.record({ kind: fc.constant('maxPool' as const), poolSize: pair(3), strides: pair(2), padding }),
  fc.record({ kind: fc.constant('averagePool' as const), poolSize: pair(3), strides: pair(2), padding }),
  fc.record({ kind: fc.constant('pad' as const), padding: fc.tuple(pair(2), pair(2)) }),
  fc.record({ kind: fc.constant('shortcut' as const), strides: fc.integer({ min: 1, max: 2 }), padChannels: pair(2) }),
  fc.record({ kind: fc.constant('residual' as const), kernelSize: pair(3), concatenate: fc.boolean() }),
);
type Block = typeof block extends fc.Arbitrary<infer T> ? T : never;

const network = fc.record({
  inputShape: fc.tuple(fc.integer({ min: 4, max: 9 }), fc.integer({ min: 4, max: 9 }), fc.integer({ min: 1, max: 3 })),
  blocks: fc.array(block, { minLength: 1, maxLength: 5 }),
  head: fc.constantFrom('flatten', 'flattenNorm', 'average', 'max'),
  seed: fc.nat(),
  foldBatchNorm: fc.boolean(),
});
type Network = typeof network extends fc.Arbitrary<infer T> ? T : never;

const apply = (layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown }, x: SymbolicTensor | SymbolicTensor[]) =>
  layer.apply(x) as SymbolicTensor;

const appenders: {
  [Kind in Block['kind']]: (x: SymbolicTensor, block: Extract<Block, { kind: Kind }>) => SymbolicTensor;
} = {
  conv: (x, { kind: _, ...args }) => apply(layers.conv2d(args), x),
  dilated: (x, { kind: _, ...args }) => apply(layers.conv2d(args), x),
  depthwise: (x, { kind: _, ...args }) => apply(layers.depthwiseConv2d(args), x),
  norm: (x, { kind: _, ...args }) => apply(layers.batchNormalization(args), x),
  maxPool: (x, { kind: _, ...args }) => apply(layers.maxPooling2d(args), x),
  averagePool: (x, { kind: _, ...args }) => apply(layers.averagePooling2d(args), x),
  pad: (x, { kind: _, ...args }) => apply(layers.zeroPadding2d(args), x),
  shortcut: (x, { kind: _, ...args }) => apply(new ZeroPadShortcut(args), x),
  residual(x, { kernelSize, concatenate }) {
    const y = apply(layers.conv2d({ filters: x.shape[3]!, kernelSize, padding: 'same' }), x);
    return apply(concatenate ? layers.concatenate() : layers.add(), [apply(layers.batchNormalization(), y), x]);
  },
};

/** A window that no longer fits into the image leaves an empty image; such a block is left out. */
function append(x: SymbolicTensor, block: Block): SymbolicTensor {
  const y = (appenders[block.kind] as (x: SymbolicTensor, block: Block) => SymbolicTensor)(x, block);
  return y.shape.slice(1).every((size) => size! > 0) ? y : x;
}

function build({ inputShape, blocks, head, seed }: Network): LayersModel {
  const x = input({ shape: inputShape });
  const trunk = blocks.reduce(append, x);
  const vector = {
    flatten: () => apply(layers.flatten(), trunk),
    flattenNorm: () => apply(layers.batchNormalization(), apply(layers.flatten(), trunk)),
    average: () => apply(layers.globalAveragePooling2d({}), trunk),
    max: () => apply(layers.globalMaxPooling2d({}), trunk),
  }[head]!();
  const hidden = apply(layers.batchNormalization(), apply(layers.dense({ units: 4 }), vector));
  const model = modelOf({ inputs: x, outputs: apply(layers.dense({ units: 3 }), apply(layers.reLU(), hidden)) });
  randomise(model, seed);
  return model;
}

const written: Uint8Array[] = [];

describe('random networks', () => {
  it('give the same logits in onnxruntime, and when they come back, folded or not', async () => {
    await fc.assert(
      fc.asyncProperty(network, async (description) => {
        const model = build(description);
        const { foldBatchNorm, seed } = description;
        const bytes = await exportOnnx(model, { foldBatchNorm });
        written.push(bytes);
        await expectSameAnswers(model, bytes, { seed: seed + 1 });
        structureOf(bytes);
        const { model: back } = await importOnnx(bytes);
        const images = randomImages(model, 3, seed + 1);
        expectClose(runModel(back, images), runModel(model, images));
        for (const each of [model, back]) each.dispose();
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});

/** At batch 1, 3 and 64, in onnxruntime as on tfjs-backend-cpu. */
async function expectSame(model: LayersModel, seed: number, options: ExportOptions = {}): Promise<void> {
  const bytes = await exportOnnx(model, options);
  structureOf(bytes);
  if ((options.opset ?? 17) === 17) written.push(bytes);
  await expectSameAnswers(model, bytes, { seed });
  model.dispose();
}

describe('networks that core prunes', () => {
  it('give the same answers in onnxruntime, in every operator set', async () => {
    await fc.assert(
      fc.asyncProperty(networkSpecs(), fc.integer({ min: 17, max: 26 }), fc.boolean(), async (spec, opset, fold) => {
        const model = buildNetwork(new TracedNetwork(), spec);
        randomise(model, spec.seed);
        await expectSame(model, spec.seed, { opset, foldBatchNorm: fold });
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it.each(Object.entries(ARCHITECTURES))('%s', async (_name, { build }) => {
    const model = build(new TracedNetwork());
    randomise(model, 5);
    await expectSame(model, 6);
  });
});

it.skipIf(!hasChecker)(`onnx.checker accepts them, and infers the same shapes${without}`, () => {
  expect(written.length).toBeGreaterThan(60);
  return expectAccepted(written);
});
