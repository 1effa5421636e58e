import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readGraph } from '../src/graph/channel-graph.ts';
import { ZeroPadShortcut } from '../src/layers/zero-pad-shortcut.ts';
import { applyPlan } from '../src/pruning/apply-plan.ts';
import { createPlan, type PruningPlan } from '../src/pruning/pruning-plan.ts';
import { eachEngine } from './support/engines.ts';
import { largestDifference } from './support/numbers.ts';
import { chain, fillWeights, image, modelOf } from './support/small-models.ts';

type Activation = 'relu' | 'tanh' | 'sigmoid' | 'linear';

interface ConvStage {
  readonly kind: 'conv';
  readonly filters: number;
  readonly kernel: 1 | 2 | 3;
  readonly strides: 1 | 2;
  readonly bias: boolean;
  readonly norm: boolean;
  readonly activation: Activation;
  readonly pool: 'none' | 'max' | 'average';
}

interface BlockStage {
  readonly kind: 'block';
  readonly hidden: number;
  readonly strides: 1 | 2;
  readonly pad: readonly [number, number];
}

interface Network {
  readonly stages: readonly (ConvStage | BlockStage)[];
  readonly head: 'flatten' | 'average' | 'max';
  readonly hiddenUnits: number;
  readonly seed: number;
}

const INPUT_SIZE = 7;

const activation = fc.constantFrom<Activation>('relu', 'tanh', 'sigmoid', 'linear');
const convStage = fc.record<ConvStage>({
  kind: fc.constant('conv'),
  filters: fc.integer({ min: 1, max: 5 }),
  kernel: fc.constantFrom(1, 2, 3),
  strides: fc.constantFrom(1, 2),
  bias: fc.boolean(),
  norm: fc.boolean(),
  activation,
  pool: fc.constantFrom('none', 'max', 'average'),
});
const blockStage = fc.record<BlockStage>({
  kind: fc.constant('block'),
  hidden: fc.integer({ min: 1, max: 5 }),
  strides: fc.constantFrom(1, 2),
  pad: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
});
const network = fc.record<Network>({
  stages: fc.array(fc.oneof(convStage, blockStage), { minLength: 1, maxLength: 3 }),
  head: fc.constantFrom('flatten', 'average', 'max'),
  hiddenUnits: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
});

/** Multiplies the channels to be removed by 0. */
class Silence extends layers.Layer {
  static readonly className = 'Silence';
  readonly #filters: readonly number[];

  constructor(filters: readonly number[]) {
    super({});
    this.#filters = filters;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0]! : inputs;
      const factors = Array.from({ length: x.shape.at(-1)! }, (_, channel) =>
        this.#filters.includes(channel) ? 0 : 1,
      );
      return tf.mul(x, factors);
    });
  }
}

/** Builds the network; with a plan, the channels that it would remove are silenced after their activation instead. */
function build(spec: Network, plan?: PruningPlan): LayersModel {
  const input = image(INPUT_SIZE, 2);
  const silenced = (x: SymbolicTensor, producer: string) => {
    const filters = plan?.remove[producer];
    return filters ? chain(x, new Silence(filters)) : x;
  };
  let x: SymbolicTensor = input;
  spec.stages.forEach((stage, index) => {
    const name = `s${index}`;
    x = stage.kind === 'conv' ? silenced(convolve(x, stage, name), name) : block(x, stage, { name, silenced });
  });
  if (spec.head === 'flatten') x = chain(x, layers.flatten({ name: 'flatten' }));
  if (spec.head === 'average') x = chain(x, layers.globalAveragePooling2d({ name: 'gap' }));
  if (spec.head === 'max') x = chain(x, layers.globalMaxPooling2d({ name: 'gmp' }));
  x = silenced(chain(x, layers.dense({ name: 'hidden', units: spec.hiddenUnits, activation: 'relu' })), 'hidden');
  return modelOf(input, chain(x, layers.dense({ name: 'logits', units: 3 })));
}

function convolve(x: SymbolicTensor, stage: ConvStage, name: string): SymbolicTensor {
  const { filters, kernel: kernelSize, strides, bias: useBias } = stage;
  const y = chain(
    x,
    layers.zeroPadding2d({ name: `${name}_pad` }),
    layers.conv2d({ name, filters, kernelSize, strides, useBias, padding: 'valid' }),
    ...(stage.norm ? [layers.batchNormalization({ name: `${name}_norm` })] : []),
    layers.activation({ name: `${name}_activation`, activation: stage.activation }),
  );
  const pool = { name: `${name}_pool`, poolSize: 2, padding: 'same' } as const;
  if (stage.pool === 'max') return chain(y, layers.maxPooling2d(pool));
  return stage.pool === 'average' ? chain(y, layers.averagePooling2d(pool)) : y;
}

function block(
  x: SymbolicTensor,
  { hidden, strides, pad }: BlockStage,
  { name, silenced }: { name: string; silenced(x: SymbolicTensor, producer: string): SymbolicTensor },
): SymbolicTensor {
  const inner = chain(
    x,
    layers.conv2d({ name: `${name}_inner`, filters: hidden, kernelSize: 3, strides, padding: 'same', useBias: false }),
    layers.batchNormalization({ name: `${name}_norm` }),
    layers.reLU({ name: `${name}_relu` }),
  );
  const filters = x.shape.at(-1)! + pad[0] + pad[1];
  const outer = chain(
    silenced(inner, `${name}_inner`),
    layers.conv2d({ name: `${name}_outer`, filters, kernelSize: 3, padding: 'same' }),
  );
  const shortcut = chain(x, new ZeroPadShortcut({ name: `${name}_shortcut`, strides, padChannels: pad }));
  return layers.add({ name: `${name}_sum` }).apply([outer, shortcut]) as SymbolicTensor;
}

/** Removes each filter with probability 1/2, but never all of a layer. */
function randomPlan(model: LayersModel, coin: () => boolean): PruningPlan {
  return createPlan(
    readGraph(model, { kinds: ['conv', 'dense'] }).groups.flatMap(({ name: layer, units: { length: filters } }) => {
      const gone = Array.from({ length: filters }, (_, filter) => filter).filter(coin);
      return gone.slice(0, filters - 1).map((filter) => ({ layer, filter }));
    }),
  );
}

eachEngine(() => {
  it('gives a pruned network that equals the one with silenced channels, for any network and plan', async () => {
    await fc.assert(
      fc.asyncProperty(network, fc.infiniteStream(fc.boolean()), async (spec, coins) => {
        const before = tf.memory().numTensors;
        const model = build(spec);
        fillWeights(model, spec.seed);
        const plan = randomPlan(model, () => coins.next().value);
        const masked = build(spec, plan);
        for (const layer of model.layers) {
          if (layer.weights.length > 0) masked.getLayer(layer.name).setWeights(layer.getWeights());
        }
        const pruned = await applyPlan(model, plan);

        const x = tf.randomUniform([2, INPUT_SIZE, INPUT_SIZE, 2], -1, 1, 'float32', spec.seed);
        const [actual, expected] = [pruned, masked].map((network) =>
          tf.tidy(() => (network.predict(x) as tf.Tensor).dataSync()),
        );
        expect(largestDifference(actual!, expected!)).toBeLessThanOrEqual(1e-5);
        for (const [layer, filters] of Object.entries(plan.remove)) {
          const width = (shape: LayersModel) => shape.getLayer(layer).outputShape.at(-1) as number;
          expect(width(pruned)).toBe(width(model) - filters.length);
        }

        tf.dispose(x);
        for (const network of [model, masked, pruned]) network.dispose();
        expect(tf.memory().numTensors).toBe(before);
      }),
      { numRuns: 25, seed: 7 },
    );
  });
});
