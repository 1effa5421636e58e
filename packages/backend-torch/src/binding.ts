// The addon's whole surface, and the one place that loads it.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isOutdated } from '../scripts/stamp.mjs';
import { explainingItsAge } from './outdated.ts';

/** A live tensor on the native side. Whoever receives one releases it, once. */
export type Handle = number;

/** A convolution whose filter lies in memory as oneDNN wants it. */
export type PackedConvolution = number;

/** Calls of native functions that can be made again. */
export type NativeTrace = number;

export type NativeValues = Float32Array | Int32Array | Uint8Array;
export type NativeDtype = 'float32' | 'int32' | 'bool';
export type StorageType = NativeDtype | 'bfloat16';

export const UNARY = [
  'abs',
  'neg',
  'sign',
  'square',
  'relu',
  'relu6',
  'elu',
  'sigmoid',
  'softplus',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sqrt',
  'rsqrt',
  'reciprocal',
  'floor',
  'ceil',
  'round',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'erf',
  'selu',
  'isNan',
  'isInf',
  'isFinite',
  'logicalNot',
] as const;
export type UnaryName = (typeof UNARY)[number];

export type BinaryName =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'maximum'
  | 'minimum'
  | 'remainder'
  | 'squaredDifference'
  | 'atan2'
  | 'pow'
  | 'floorDiv'
  | 'equal'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'greater'
  | 'greaterEqual'
  | 'logicalAnd'
  | 'logicalOr'
  | 'logicalXor'
  | 'eluGrad';

export type ReductionName = 'sum' | 'mean' | 'max' | 'min' | 'prod' | 'all' | 'any';
export type ConvolutionName = 'conv2d' | 'depthwiseConv2d';

/** strideH, strideW, padTop, padLeft, dilationH, dilationW, outH, outW */
export type ConvolutionGeometry = readonly number[];
/** filterH, filterW, strideH, strideW, padTop, padLeft, outH, outW */
export type PoolWindow = readonly number[];

export interface NativeMemory {
  /** Live native handles. */
  readonly tensors: number;
  /** Bytes that live tensors hold. */
  readonly bytes: number;
  /** Bytes freed by tensors and kept for reuse; `trim` gives them back to the system. */
  readonly reservedBytes: number;
}

export interface Versions {
  readonly libtorch: string;
  /** The vector instructions that libtorch's own kernels use. */
  readonly cpuCapability: string;
  /** The vector instructions that this addon was compiled for. */
  readonly compiledFor: string;
  readonly onednn: string;
  /** Who multiplies float32 matrices: oneDNN, or the BLAS that libtorch was built with. */
  readonly matrixProducts: string;
  readonly compiler: string;
}

type Shape = readonly number[];

/** Every function throws an Error that names the function, its input tensors and libtorch's message. */
export interface Binding
  extends Record<UnaryName, (x: Handle) => Handle>,
    Record<BinaryName, (a: Handle, b: Handle) => Handle>,
    Record<ReductionName, (x: Handle, axes: readonly number[]) => Handle>,
    Record<
      ConvolutionName,
      (
        x: Handle,
        filter: Handle,
        bias: Handle | null,
        geometry: ConvolutionGeometry,
        bfloat16: boolean,
        activation: string,
        leakyReluAlpha: number,
      ) => Handle
    >,
    Record<
      `${ConvolutionName}InputGradient`,
      (dy: Handle, filter: Handle, geometry: ConvolutionGeometry, bfloat16: boolean, inputShape: Shape) => Handle
    >,
    Record<
      `${ConvolutionName}FilterGradient`,
      (x: Handle, dy: Handle, geometry: ConvolutionGeometry, bfloat16: boolean, filterShape: Shape) => Handle
    > {
  fromArray(values: NativeValues, shape: Shape, dtype: NativeDtype): Handle;
  toArray(x: Handle): NativeValues;
  /** The values of now; JavaScript goes on while the device finishes them. */
  toArrayAsync(x: Handle): Promise<NativeValues>;
  release(x: Handle): void;
  viewAs(x: Handle, shape: Shape): Handle;
  filled(shape: Shape, value: number, dtype: NativeDtype): Handle;
  storageType(x: Handle): StorageType;
  cast(x: Handle, dtype: NativeDtype): Handle;

  setThreads(count: number): void;
  threads(): number;
  memory(): NativeMemory;
  trim(): number;
  versions(): Versions;
  /** For this thread; portable: without the kernels that are for the processor alone. Returns the full name. */
  setDevice(name: string, portable: boolean): string;
  /** How many GPUs CUDA finds; -1 where libtorch was built without CUDA. */
  cudaDevices(): number;
  /** Waits until the device has done all that it was asked for. The processor always has. */
  synchronise(): void;
  /** Whether GPUs may round the factors of float32 convolutions and matrix products to TF32. */
  allowTf32(allowed: boolean): void;

  step(x: Handle, alpha: number): Handle;
  leakyRelu(x: Handle, alpha: number): Handle;
  prelu(x: Handle, alpha: Handle): Handle;
  clip(x: Handle, min: number, max: number): Handle;
  select(condition: Handle, whenTrue: Handle, whenFalse: Handle): Handle;
  addN(terms: readonly Handle[]): Handle;

  argMax(x: Handle, axis: number): Handle;
  argMin(x: Handle, axis: number): Handle;
  softmax(x: Handle, axis: number): Handle;
  logSoftmax(x: Handle, axis: number): Handle;
  topK(x: Handle, k: number): [values: Handle, indices: Handle];
  cumsum(x: Handle, axis: number, exclusive: boolean, reverse: boolean): Handle;

  transpose(x: Handle, permutation: Shape): Handle;
  concat(parts: readonly Handle[], axis: number): Handle;
  pack(parts: readonly Handle[], axis: number): Handle;
  unpack(x: Handle, axis: number): Handle[];
  split(x: Handle, sizes: Shape, axis: number): Handle[];
  slice(x: Handle, begin: Shape, size: Shape): Handle;
  stridedSlice(x: Handle, begin: Shape, strides: Shape, size: Shape): Handle;
  /** paddings: before and after, axis by axis, flat */
  pad(x: Handle, paddings: Shape, value: number): Handle;
  mirrorPad(x: Handle, paddings: Shape, skipEdge: boolean): Handle;
  tile(x: Handle, repeats: Shape): Handle;
  broadcastTo(x: Handle, shape: Shape): Handle;
  reverse(x: Handle, axes: Shape): Handle;
  gather(x: Handle, indices: Handle, axis: number): Handle;
  oneHot(indices: Handle, depth: number, on: number, off: number, isFloat: boolean): Handle;
  searchSorted(sequences: Handle, values: Handle, right: boolean): Handle;
  /** lower, upper: how many diagonals to keep beside the main one; all of them where negative */
  bandPart(x: Handle, lower: number, upper: number): Handle;

  matmul(a: Handle, b: Handle, transposeA: boolean, transposeB: boolean, bfloat16: boolean): Handle;
  fusedMatmul(
    a: Handle,
    b: Handle,
    bias: Handle | null,
    transposeA: boolean,
    transposeB: boolean,
    bfloat16: boolean,
    activation: string,
    leakyReluAlpha: number,
  ): Handle;

  maxPool(x: Handle, window: PoolWindow): Handle;
  maxPoolGrad(dy: Handle, x: Handle, window: PoolWindow): Handle;
  avgPool(x: Handle, window: PoolWindow): Handle;
  avgPoolGrad(dy: Handle, window: PoolWindow, inputShape: Shape): Handle;

  batchNorm(
    x: Handle,
    mean: Handle,
    variance: Handle,
    offset: Handle | null,
    scale: Handle | null,
    epsilon: number,
  ): Handle;
  /** open: only with an activation. */
  batchNormInference(
    x: Handle,
    mean: Handle,
    variance: Handle,
    offset: Handle,
    scale: Handle,
    residual: Handle | null,
    epsilon: number,
    activation: string,
  ): [y: Handle, open?: Handle];
  batchNormInferenceGrad(
    dy: Handle,
    open: Handle | null,
    variance: Handle,
    scale: Handle,
    epsilon: number,
    residual: boolean,
  ): [dx: Handle, dResidual?: Handle];
  batchNormTraining(
    x: Handle,
    scale: Handle,
    offset: Handle,
    movingMean: Handle,
    movingVariance: Handle,
    residual: Handle | null,
    epsilon: number,
    momentum: number,
    activation: string,
    unbiasedVariance: boolean,
  ): [y: Handle, mean: Handle, inverseStd: Handle, movingMean: Handle, movingVariance: Handle];
  batchNormTrainingGrad(
    dy: Handle,
    x: Handle,
    y: Handle,
    scale: Handle,
    mean: Handle,
    inverseStd: Handle,
    activation: string,
    residual: boolean,
  ): [dx: Handle, dScale: Handle, dOffset: Handle, dResidual?: Handle];

  softmaxCrossEntropy(logits: Handle, labels: Handle): [loss: Handle, gradient: Handle];

  /** null for weight or velocity: it was updated in place, the handle passed in stays valid. */
  sgdMomentumUpdate(
    weight: Handle,
    velocity: Handle,
    gradient: Handle,
    penaltyGradient: Handle | null,
    learningRate: number,
    momentum: number,
    weightDecay: number,
    l1: number,
    penalty: number,
    mayReuseWeight: boolean,
    mayReuseVelocity: boolean,
  ): [weight: Handle | null, velocity: Handle | null, l1Norm: Handle];

  taylorCount(activation: Handle, gradient: Handle, labels: Handle, threshold: number, classes: number): Handle;
  taylorSum(activation: Handle, gradient: Handle, labels: Handle, classes: number): Handle;
  /** Whether this libtorch has oneDNN and what packing needs. */
  canPackConvolution(): boolean;
  /** With a mean, batch norm by these statistics follows the convolution. Whoever receives one releases it. */
  packConvolution(
    filter: Handle,
    bias: Handle | null,
    mean: Handle | null,
    variance: Handle | null,
    offset: Handle | null,
    scale: Handle | null,
    epsilon: number,
    geometry: ConvolutionGeometry,
    inputShape: Shape,
    groups: number,
    bfloat16: boolean,
  ): PackedConvolution;
  /** The residual, of the output's shape, is added before the ReLU, which lets `most` through at most. */
  runPackedConvolution(
    packed: PackedConvolution,
    x: Handle,
    residual: Handle | null,
    relu: boolean,
    most: number,
  ): Handle;
  releasePackedConvolution(packed: PackedConvolution): void;

  convOrthogonality(kernel: Handle, bfloat16: boolean): [norm: Handle, gradient: Handle];

  /** From here to `endTrace` or `abandonTrace` calls are noted, beside being made. */
  startTrace(inputs: readonly Handle[]): void;
  abandonTrace(): void;
  /** Whoever receives a trace releases it. */
  endTrace(outputs: readonly Handle[]): NativeTrace;
  runTrace(trace: NativeTrace, inputs: readonly Handle[]): Handle[];
  releaseTrace(trace: NativeTrace): void;
}

/** Works from src and from dist: both lie directly under the package. */
const ADDON = fileURLToPath(new URL('../build/Release/secateur_torch.node', import.meta.url));

/**
 * Loads the addon.
 *
 * @throws Error that says what was tried on this platform and which command helps
 */
export function loadBinding(path: string = ADDON): Binding {
  // OpenBLAS's own threads compete with OpenMP's; products are shared out over OpenMP instead. Read when the library is opened.
  process.env.OPENBLAS_NUM_THREADS ??= '1';
  let binding: Binding;
  try {
    binding = createRequire(import.meta.url)(path) as Binding;
  } catch (cause) {
    throw new Error(loadFailure(path, cause instanceof Error ? cause.message : String(cause)), { cause });
  }
  return path === ADDON && isOutdated() ? explainingItsAge(binding) : binding;
}

function loadFailure(path: string, reason: string): string {
  const built = existsSync(path);
  return [
    `The native part of @secateur/tfjs-backend-torch could not be loaded on ${process.platform}-${process.arch}, Node ${process.version}.`,
    `Tried: ${path}`,
    built ? `It exists, but failed to load: ${reason}` : 'It has not been built yet.',
    'What helps:',
    '  npx tfjs-backend-torch build       compiles it against the libtorch of this machine',
    '  apt-get install libtorch-dev       provides libtorch on Debian and Ubuntu (also: pip install torch)',
    '  LIBTORCH=/path/to/libtorch npx tfjs-backend-torch build       uses a libtorch of your own',
  ].join('\n');
}
