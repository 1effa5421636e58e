// Kernels by name, with inputs and attributes that need not fit together: every kernel finds here whatever names it reads.
import * as tf from '@tensorflow/tfjs-core';
import { kernelTable } from '../../src/index.ts';
import type { Random } from './random.ts';
import { integers, show, smallInteger, wrongKind, wrongNumber } from './values.ts';

const INPUTS = [
  ...['x', 'a', 'b', 'input', 'logits', 'value', 'dy', 'y', 'filter', 'bias', 'preluActivationWeights', 'alpha'],
  ...[
    'mean',
    'variance',
    'offset',
    'scale',
    'condition',
    't',
    'e',
    'indices',
    'labels',
    'weight',
    'velocity',
    'gradient',
  ],
  ...['penaltyGradient', 'activation', 'kernel', 'movingMean', 'movingVariance', 'inverseStd', 'residual'],
];
const TAKE_LISTS = new Set<string>([tf.Concat, tf.Pack, tf.AddN]);

const pair = (random: Random) =>
  random.chance(0.5) ? random.integer(1, 3) : [random.integer(1, 3), random.integer(1, 3)];

const ATTRIBUTES: Readonly<Record<string, (random: Random) => unknown>> = {
  axis: smallInteger,
  reductionIndices: (random) => integers(random, random.integer(0, 3)),
  dims: (random) => integers(random, random.integer(0, 3)),
  perm: (random) => integers(random, random.integer(0, 4)),
  keepDims: (random) => random.chance(0.5),
  dim: smallInteger,
  k: smallInteger,
  sorted: () => true,
  exclusive: (random) => random.chance(0.5),
  reverse: (random) => random.chance(0.5),
  shape: (random) => integers(random, random.integer(0, 4)),
  begin: (random) => integers(random, random.integer(0, 4)),
  end: (random) => integers(random, random.integer(0, 4)),
  size: (random) => integers(random, random.integer(0, 4)),
  strides: (random) => (random.chance(0.7) ? pair(random) : integers(random, random.integer(0, 4))),
  numOrSizeSplits: (random) => (random.chance(0.5) ? smallInteger(random) : integers(random, random.integer(0, 3))),
  reps: (random) => integers(random, random.integer(0, 4)),
  paddings: (random) => random.list(random.integer(0, 4), () => integers(random, 2)),
  constantValue: smallInteger,
  mode: (random) => random.pick(['reflect', 'symmetric']),
  filterSize: pair,
  inputShape: (random) => integers(random, 4),
  filterShape: (random) => integers(random, 4),
  pad: (random) => random.pick(['same', 'valid', 0, 1, -1, 7]),
  dataFormat: (random) => random.pick(['NHWC', 'NHWC', 'NCHW']),
  dilations: pair,
  dimRoundingMode: (random) => random.pick([undefined, 'floor', 'ceil', 'round']),
  activation: (random) => random.pick(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu', 'tanh']),
  leakyreluAlpha: () => 0.2,
  alpha: () => 0.2,
  transposeA: (random) => random.chance(0.5),
  transposeB: (random) => random.chance(0.5),
  clipValueMin: () => -1,
  clipValueMax: () => 1,
  depth: smallInteger,
  onValue: () => 1,
  offValue: () => 0,
  dtype: (random) => random.pick(['float32', 'int32', 'bool', 'string', 'complex64']),
  value: smallInteger,
  batchDims: (random) => random.integer(0, 1),
  varianceEpsilon: () => 1e-3,
  beginMask: smallInteger,
  endMask: smallInteger,
  ellipsisMask: (random) => random.pick([0, 0, 1]),
  newAxisMask: (random) => random.pick([0, 0, 1]),
  shrinkAxisMask: (random) => random.pick([0, 0, 1]),
  epsilon: () => 1e-3,
  momentum: () => 0.9,
  unbiasedVariance: (random) => random.chance(0.5),
  residual: (random) => random.chance(0.5),
  learningRate: () => 0.1,
  weightDecay: () => 0,
  l1: () => 0,
  penalty: () => 0,
  threshold: () => 0,
  classes: smallInteger,
};

export interface KernelCall {
  readonly text: string;
  /** @throws Error, or returns the outputs after reading them */
  readonly run: () => tf.Tensor[];
}

/** What runs in JavaScript alone cannot end the process, and may take as long as its attributes say. */
export function nativeKernels(): string[] {
  const { native, fused } = kernelTable();
  return [...native, ...fused];
}

export function kernelCall(names: readonly string[], random: Random, pool: readonly tf.Tensor[]): KernelCall {
  const name = random.pick(names);
  // One dtype for all, most of the time: mixed ones are computed by tfjs-backend-cpu.
  const dtype = random.chance(0.8) ? random.pick(pool).dtype : undefined;
  const alike = pool.filter((tensor) => dtype === undefined || tensor.dtype === dtype);
  const tensor = (): unknown => (random.chance(0.01) ? wrongInput(random) : random.pick(alike));
  // Inputs of one shape get further.
  const usual = tensor();
  const input = () => (random.chance(0.5) ? usual : tensor());
  const inputs = TAKE_LISTS.has(name)
    ? random.list(random.integer(0, 4), input)
    : Object.fromEntries(INPUTS.filter(() => random.chance(0.97)).map((key) => [key, input()]));
  const attrs = Object.fromEntries(
    Object.entries(ATTRIBUTES)
      .filter(() => random.chance(0.97))
      .map(([key, make]) => [key, random.chance(0.05) ? wrongAttribute(random) : make(random)]),
  );
  return {
    text: `${name}, inputs { ${Object.entries(inputs).map(([key, value]) => `${key}: ${describe(value)}`)} }, attributes ${show(attrs)}`,
    run: () => {
      const outputs = [
        tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attrs as object as tf.NamedAttrMap),
      ].flat();
      for (const output of outputs as tf.Tensor[]) {
        const read = output.dataSync().length;
        if (output.dtype !== 'complex64' && read !== output.size) {
          throw new WrongResult(`${name}: an output of shape [${output.shape}] holds ${read} values`);
        }
      }
      return outputs as tf.Tensor[];
    },
  };
}

/** Nothing crashed, but what came back contradicts itself. */
export class WrongResult extends Error {}

export function smallTensor(random: Random): tf.Tensor {
  const rank = random.pick([0, 1, 2, 3, 4, 4, 4]);
  const shape = random.list(rank, () => random.integer(random.chance(0.1) ? 0 : 1, 4));
  const dtype = random.pick(['float32', 'float32', 'float32', 'int32', 'bool'] as const);
  return tf.fill(shape, random.pick(dtype === 'float32' ? [0, 1, -2.5, Number.NaN] : [0, 1]), dtype);
}

function wrongInput(random: Random): unknown {
  return random.pick<() => unknown>([
    () => undefined,
    () => null,
    () => ({}),
    () => ({ dataId: {}, shape: [2], dtype: 'float32' }),
    () => wrongKind(random),
  ])();
}

function wrongAttribute(random: Random): unknown {
  return random.chance(0.5) ? wrongNumber(random) : wrongKind(random);
}

function describe(input: unknown): string {
  try {
    if (input instanceof tf.Tensor) return `${input.isDisposed ? 'disposed ' : ''}${input.dtype} [${input.shape}]`;
  } catch {
    // It is one of those that throw whatever is asked of them.
  }
  return show(input);
}
