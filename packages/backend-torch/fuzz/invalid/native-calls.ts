// Calls of the addon's own functions, below everything that the kernels check.
import { type Binding, type Handle, type NativeDtype, UNARY } from '../../src/binding.ts';
import { Random } from './random.ts';
import { detached, integers, show, smallInteger, wrongKind, wrongNumber } from './values.ts';

type Kind =
  | 'tensor'
  | 'image'
  | 'maybeTensor'
  | 'tensors'
  | 'integer'
  | 'number'
  | 'flag'
  | 'activation'
  | 'dtype'
  | 'integers'
  | 'window'
  | 'values';

const TENSOR_KINDS: ReadonlySet<Kind> = new Set(['tensor', 'image', 'maybeTensor']);
const CONVOLUTION: readonly Kind[] = ['image', 'image', 'maybeTensor', 'window', 'flag', 'activation', 'number'];
const CONVOLUTION_GRADIENT: readonly Kind[] = ['image', 'image', 'window', 'flag', 'integers'];

/** What the functions take. One that is not listed gets arguments of every kind. */
const SIGNATURES: Readonly<Record<string, readonly Kind[]>> = {
  ...Object.fromEntries(UNARY.map((name) => [name, ['tensor'] as const])),
  fromArray: ['values', 'integers', 'dtype'],
  viewAs: ['tensor', 'integers'],
  filled: ['integers', 'number', 'dtype'],
  cast: ['tensor', 'dtype'],
  step: ['tensor', 'number'],
  leakyRelu: ['tensor', 'number'],
  prelu: ['tensor', 'tensor'],
  packConvolution: [
    'image',
    'maybeTensor',
    'maybeTensor',
    'maybeTensor',
    'maybeTensor',
    'maybeTensor',
    'number',
    'window',
    'integers',
    'integer',
    'flag',
  ],
  runPackedConvolution: ['number', 'image', 'maybeTensor', 'flag', 'number'],
  clip: ['tensor', 'number', 'number'],
  select: ['tensor', 'tensor', 'tensor'],
  addN: ['tensors'],
  sum: ['tensor', 'integers'],
  mean: ['tensor', 'integers'],
  max: ['tensor', 'integers'],
  min: ['tensor', 'integers'],
  prod: ['tensor', 'integers'],
  all: ['tensor', 'integers'],
  any: ['tensor', 'integers'],
  argMax: ['tensor', 'integer'],
  argMin: ['tensor', 'integer'],
  softmax: ['tensor', 'integer'],
  logSoftmax: ['tensor', 'integer'],
  topK: ['tensor', 'integer'],
  cumsum: ['tensor', 'integer', 'flag', 'flag'],
  transpose: ['tensor', 'integers'],
  concat: ['tensors', 'integer'],
  pack: ['tensors', 'integer'],
  unpack: ['tensor', 'integer'],
  split: ['tensor', 'integers', 'integer'],
  slice: ['tensor', 'integers', 'integers'],
  stridedSlice: ['tensor', 'integers', 'integers', 'integers'],
  pad: ['tensor', 'integers', 'number'],
  mirrorPad: ['tensor', 'integers', 'flag'],
  tile: ['tensor', 'integers'],
  broadcastTo: ['tensor', 'integers'],
  reverse: ['tensor', 'integers'],
  gather: ['tensor', 'tensor', 'integer'],
  oneHot: ['tensor', 'integer', 'number', 'number', 'flag'],
  matmul: ['tensor', 'tensor', 'flag', 'flag', 'flag'],
  fusedMatmul: ['tensor', 'tensor', 'maybeTensor', 'flag', 'flag', 'flag', 'activation', 'number'],
  conv2d: CONVOLUTION,
  depthwiseConv2d: CONVOLUTION,
  conv2dInputGradient: CONVOLUTION_GRADIENT,
  conv2dFilterGradient: CONVOLUTION_GRADIENT,
  depthwiseConv2dInputGradient: CONVOLUTION_GRADIENT,
  depthwiseConv2dFilterGradient: CONVOLUTION_GRADIENT,
  maxPool: ['image', 'window'],
  maxPoolGrad: ['image', 'image', 'window'],
  avgPool: ['image', 'window'],
  avgPoolGrad: ['image', 'window', 'integers'],
};

const ANY_KIND: readonly Kind[] = [
  ...(['tensor', 'tensor', 'tensor', 'image', 'maybeTensor', 'tensors', 'integer', 'number', 'flag'] as const),
  ...(['activation', 'integers', 'window'] as const),
];

/** They return no handle, or change what other calls rely on. */
const LEFT_OUT = new Set([
  ...['release', 'setThreads', 'threads', 'memory', 'versions', 'setDevice', 'cudaDevices'],
  ...['startTrace', 'abandonTrace'],
]);

interface NativeCall {
  readonly text: string;
  /** @throws Error, or returns having released all it made */
  readonly run: () => void;
}

export const nativeNames = (native: Binding): string[] => Object.keys(native).filter((name) => !LEFT_OUT.has(name));

/** The call with this number. Its tensors are made when it is made, so that it depends on no call before it. */
export function nativeCall(native: Binding, names: readonly string[], seed: number, number: number): NativeCall {
  const random = new Random(seed, number);
  const name = random.pick(names);
  const kinds = SIGNATURES[name] ?? random.list(random.integer(1, 11), () => random.pick(ANY_KIND));
  const made: Handle[] = [];
  const shapes: string[] = [];
  const tensor = (shape: readonly number[], dtype: NativeDtype): Handle => {
    const handle = native.filled(shape, random.pick(dtype === 'float32' ? [0, 1, -2, Number.NaN] : [0, 1]), dtype);
    made.push(handle);
    shapes.push(`${handle}: ${dtype} [${shape}]`);
    return handle;
  };
  const args = kinds.map((kind) => (random.chance(0.12) ? wrong(kind, random, native) : sound(kind, random, tensor)));
  if (random.chance(0.05)) args.splice(random.integer(0, args.length - 1), 1);
  const handles = new Set(made);
  // A list may dispose of the tensors around it while it is read.
  if (made.length > 0 && random.chance(0.03)) args.push(disposing(native, made));
  return {
    text: `${name}(${args.map(show).join(', ')}) with ${shapes.join('; ') || 'no tensors'}`,
    run: () => {
      try {
        const results = [(native as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args)].flat();
        for (const result of results) {
          if (name === 'packConvolution') {
            native.releasePackedConvolution(result as number);
            continue;
          }
          if (typeof result !== 'number' || name === 'trim' || name === 'storageType') continue;
          if (!handles.has(result)) made.push(result);
          native.toArray(result);
        }
      } finally {
        for (const handle of made) {
          try {
            native.release(handle);
          } catch {
            // The call itself released it.
          }
        }
      }
    },
  };
}

function sound(kind: Kind, random: Random, tensor: (shape: readonly number[], dtype: NativeDtype) => Handle): unknown {
  const dtype = random.pick<NativeDtype>(['float32', 'float32', 'float32', 'int32', 'bool']);
  const small = (rank: number) => random.list(rank, () => random.integer(random.chance(0.1) ? 0 : 1, 4));
  switch (kind) {
    case 'tensor':
      return tensor(random.chance(0.03) ? [0, 2 ** 40] : small(random.integer(0, 5)), dtype);
    case 'image':
      return tensor(small(random.chance(0.9) ? 4 : 3), random.chance(0.9) ? 'float32' : dtype);
    case 'maybeTensor':
      return random.chance(0.5) ? null : tensor(small(1), 'float32');
    case 'tensors': {
      const shape = small(random.integer(0, 3));
      return random.list(random.integer(0, 4), () => tensor(random.chance(0.8) ? shape : small(2), dtype));
    }
    case 'integer':
      return smallInteger(random);
    case 'number':
      return random.chance(0.7) ? random.integer(-3, 3) / 2 : wrongNumber(random);
    case 'flag':
      return random.chance(0.5);
    case 'activation':
      return random.pick(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu', 'tanh']);
    case 'dtype':
      return random.pick(['float32', 'int32', 'bool', 'string', 'bfloat16']);
    case 'integers':
      return integers(random, random.chance(0.5) ? 4 : random.integer(0, 6));
    case 'window':
      return integers(random, random.chance(0.95) ? 8 : random.integer(0, 9)).map((number) =>
        number === 0 && random.chance(0.6) ? 1 : number,
      );
    case 'values':
      return random.pick([
        new Float32Array(random.integer(0, 8)),
        new Int32Array(random.integer(0, 8)),
        new Uint8Array(random.integer(0, 8)),
        new Float64Array(4),
        new Float32Array(new SharedArrayBuffer(16)),
        detached(),
      ]);
  }
}

function wrong(kind: Kind, random: Random, native: Binding): unknown {
  // As a size its number would be a tensor of gigabytes, which is no mistake.
  if (TENSOR_KINDS.has(kind) && random.chance(0.3)) {
    const released = native.filled([2], 0, 'float32');
    native.release(released);
    return released;
  }
  // JavaScript itself would take minutes to walk over these holes.
  if (random.chance(0.05)) return new Array(2 ** 32 - 1);
  return wrongKind(random);
}

function disposing(native: Binding, made: readonly Handle[]): unknown[] {
  return Object.defineProperty([1, 1], 1, {
    get: () => {
      for (const handle of made) native.release(handle);
      return 1;
    },
  });
}
