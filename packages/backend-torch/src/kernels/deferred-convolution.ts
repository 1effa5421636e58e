// At inference a convolution waits until its output is read: batch norm, an addition and ReLU that come meanwhile become part of it,
// and its filter is reordered once and used again for the next input.
import * as tf from '@tensorflow/tfjs-core';
import type { TorchBackend } from '../backend.ts';
import type { Handle } from '../binding.ts';
import type { Lease } from '../lease.ts';
import type { DeferredWork, Pending } from '../pending.ts';

/** What is convolved, and how. */
export interface Convolution {
  readonly kernel: string;
  readonly x: tf.TensorInfo;
  readonly filter: tf.TensorInfo;
  /** [out channels] */
  readonly bias: tf.TensorInfo | undefined;
  readonly info: tf.backend_util.Conv2DInfo;
  /** As the native function takes it. */
  readonly geometry: readonly number[];
  readonly groups: number;
  readonly bfloat16: boolean;
  readonly activation: string;
}

export interface Normalisation {
  readonly mean: tf.TensorInfo;
  readonly variance: tf.TensorInfo;
  readonly offset: tf.TensorInfo | undefined;
  readonly scale: tf.TensorInfo | undefined;
  readonly epsilon: number;
}

/** In these, three quarters of a window or more are padding, and one matrix product for many images is faster than oneDNN. */
const FEWEST_IMAGES_FOR_PRODUCT = 16;

/** With fewer, reordering the filter takes a good part of the time; with more, oneDNN alone is faster where nothing follows. */
const FEWEST_IMAGES_UNPACKED = 16;

/** Puts a convolution off, or returns undefined where nothing could be gained: under a gradient everything is read anyway. */
export function deferConvolution(backend: TorchBackend, convolution: Convolution): tf.TensorInfo | undefined {
  const { info, activation } = convolution;
  if (tf.engine().state.gradientDepth > 0 || (activation !== 'linear' && activation !== 'relu')) return undefined;
  if (!isPackable(info) || !backend.native.canPackConvolution()) return undefined;
  // What is packed once must not change from run to run.
  if (![convolution.filter, convolution.bias].every((tensor) => !tensor || backend.isFixed(tensor))) return undefined;
  return backend.defer(PendingConvolution.of(backend, convolution), info.outShape);
}

/** Folds batch norm into the convolution that x waits for, or returns undefined. */
export function foldBatchNorm(
  backend: TorchBackend,
  x: tf.TensorInfo,
  normalisation: Normalisation,
): tf.TensorInfo | undefined {
  const pending = backend.pendingOf(x);
  if (!(pending instanceof PendingConvolution) || tf.engine().state.gradientDepth > 0) return undefined;
  const folded = pending.withBatchNorm(normalisation);
  return folded && backend.defer(folded, x.shape);
}

/** Makes an addition part of the convolution that one of both waits for, or returns undefined. */
export function foldAdd(backend: TorchBackend, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo | undefined {
  if (tf.engine().state.gradientDepth > 0 || a.dtype !== 'float32' || b.dtype !== 'float32') return undefined;
  if (a.dataId === b.dataId || !tf.util.arraysEqual(a.shape, b.shape)) return undefined;
  for (const [sum, residual] of [
    [b, a],
    [a, b],
  ] as const) {
    const pending = backend.pendingOf(sum);
    const folded = pending instanceof PendingConvolution ? pending.withResidual(residual) : undefined;
    if (folded) return backend.defer(folded, sum.shape);
  }
  return undefined;
}

/**
 * Folds ReLU into the convolution that x waits for, or returns undefined.
 *
 * @param rectifier The kernel's name, and what it lets through at most.
 */
export function foldRelu(
  backend: TorchBackend,
  x: tf.TensorInfo,
  { kernel = tf.Relu, most = Number.POSITIVE_INFINITY }: { kernel?: string; most?: number } = {},
): tf.TensorInfo | undefined {
  const pending = backend.pendingOf(x);
  if (!(pending instanceof PendingConvolution) || tf.engine().state.gradientDepth > 0) return undefined;
  const folded = pending.withRelu(kernel, most);
  return folded && backend.defer(folded, x.shape);
}

/** Padded alike on both sides, which is all that oneDNN's packed form takes, and with values to compute. */
function isPackable(info: tf.backend_util.Conv2DInfo): boolean {
  const { inShape, outShape, padInfo, strideHeight, strideWidth, outHeight, outWidth, batchSize } = info;
  const { effectiveFilterHeight, effectiveFilterWidth, filterHeight, filterWidth, inHeight, inWidth } = info;
  if (inShape.includes(0) || outShape.includes(0) || filterHeight === 0 || filterWidth === 0) return false;
  const fits = (size: number, pad: number, reach: number, stride: number, out: number) =>
    pad >= 0 && Math.floor((size + 2 * pad - reach) / stride) + 1 === out;
  const seesAll = inHeight + padInfo.top <= filterHeight && inWidth + padInfo.left <= filterWidth;
  return (
    fits(inHeight, padInfo.top, effectiveFilterHeight, strideHeight, outHeight) &&
    fits(inWidth, padInfo.left, effectiveFilterWidth, strideWidth, outWidth) &&
    !(seesAll && batchSize >= FEWEST_IMAGES_FOR_PRODUCT)
  );
}

interface Leases {
  readonly x: Lease;
  readonly filter: Lease;
  readonly bias: Lease | undefined;
  readonly residual?: Lease;
  readonly norm:
    | {
        readonly mean: Lease;
        readonly variance: Lease;
        readonly offset?: Lease;
        readonly scale?: Lease;
        epsilon: number;
      }
    | undefined;
}

class PendingConvolution implements Pending {
  readonly #backend: TorchBackend;
  readonly #convolution: Convolution;
  readonly #leases: Leases;
  readonly #kernels: readonly [string, ...string[]];
  /** What a ReLU lets through at most; undefined where none follows. */
  readonly #most: number | undefined;

  private constructor(
    backend: TorchBackend,
    convolution: Convolution,
    { leases, kernels, most }: { leases: Leases; kernels: readonly [string, ...string[]]; most: number | undefined },
  ) {
    this.#backend = backend;
    this.#convolution = convolution;
    this.#leases = leases;
    this.#kernels = kernels;
    this.#most = most;
  }

  static of(backend: TorchBackend, convolution: Convolution): PendingConvolution {
    const { x, filter, bias, kernel, activation } = convolution;
    const leases = {
      x: backend.lease(x),
      filter: backend.lease(filter),
      bias: bias && backend.lease(bias),
      norm: undefined,
    };
    const most = activation === 'relu' ? Number.POSITIVE_INFINITY : undefined;
    return new PendingConvolution(backend, convolution, { leases, kernels: [kernel], most });
  }

  withBatchNorm({ mean, variance, offset, scale, epsilon }: Normalisation): PendingConvolution | undefined {
    const { outChannels } = this.#convolution.info;
    const isPerChannel = (vector: tf.TensorInfo | undefined) =>
      !vector ||
      (vector.dtype === 'float32' &&
        vector.shape.length === 1 &&
        vector.shape[0] === outChannels &&
        this.#backend.isFixed(vector));
    if (
      this.#most !== undefined ||
      this.#leases.residual ||
      this.#leases.norm ||
      ![mean, variance, offset, scale].every(isPerChannel)
    )
      return undefined;
    const norm = {
      mean: this.#backend.lease(mean),
      variance: this.#backend.lease(variance),
      ...(offset && { offset: this.#backend.lease(offset) }),
      ...(scale && { scale: this.#backend.lease(scale) }),
      epsilon,
    };
    return this.#continued({ ...this.#retained(), norm }, tf.FusedBatchNorm);
  }

  withResidual(residual: tf.TensorInfo): PendingConvolution | undefined {
    if (this.#most !== undefined || this.#leases.residual) return undefined;
    return this.#continued({ ...this.#retained(), residual: this.#backend.lease(residual) }, tf.Add);
  }

  /** Layers give ReLU6 as a ReLU and the smaller of that and 6. */
  withRelu(kernel: string, most: number): PendingConvolution {
    return this.#continued(this.#retained(), kernel, Math.min(most, this.#most ?? Number.POSITIVE_INFINITY));
  }

  compute(): Handle {
    if (this.#isBare() && this.#convolution.info.batchSize >= FEWEST_IMAGES_UNPACKED) return this.#convolve();
    const { native } = this.#backend;
    const { x, residual } = this.#leases;
    const [relu, most] = [this.#most !== undefined, this.#most ?? Number.POSITIVE_INFINITY];
    const run = (packed: number) => native.runPackedConvolution(packed, x.handle, residual?.handle ?? null, relu, most);
    const release = (handle: number) => native.releasePackedConvolution(handle);
    const { traceBeingMade } = this.#backend;
    if (traceBeingMade) {
      const packed = this.#pack();
      traceBeingMade.keep(packed, release);
      return run(packed);
    }
    const packed = this.#backend.prepared(this.#convolution.filter, this.#key(), { make: () => this.#pack(), release });
    if (packed !== undefined) return run(packed);
    // The filter is disposed, and nobody could use the packed form again.
    const passing = this.#pack();
    try {
      return run(passing);
    } finally {
      release(passing);
    }
  }

  /** Nothing came meanwhile, as in training. */
  #isBare(): boolean {
    return this.#kernels.length === 1 && this.#most === undefined;
  }

  #convolve(): Handle {
    const { geometry, groups, bfloat16 } = this.#convolution;
    const { x, filter, bias } = this.#leases;
    const run = this.#backend.native[groups === 1 ? 'conv2d' : 'depthwiseConv2d'];
    return run(x.handle, filter.handle, bias?.handle ?? null, geometry, bfloat16, 'linear', 0);
  }

  release(): void {
    for (const lease of this.#all()) lease.release();
  }

  get work(): DeferredWork {
    const { x, filter, info } = this.#convolution;
    const bytes = (lease: Lease) => tf.util.sizeFromShape([...lease.shape]) * this.#backend.storedBytes(lease.handle);
    const read = [...this.#all()].reduce((total, lease) => total + bytes(lease), 0);
    const written = tf.util.sizeFromShape(info.outShape) * (this.#convolution.bfloat16 ? 2 : 4);
    return { kernels: this.#kernels, inputs: { x, filter }, bytes: read + written };
  }

  #continued(leases: Leases, kernel: string, most?: number): PendingConvolution {
    return new PendingConvolution(this.#backend, this.#convolution, {
      leases,
      kernels: [...this.#kernels, kernel],
      most,
    });
  }

  #retained(): Leases {
    for (const lease of this.#all()) lease.retain();
    return this.#leases;
  }

  *#all(): Iterable<Lease> {
    const { x, filter, bias, residual, norm } = this.#leases;
    for (const lease of [x, filter, bias, residual, norm?.mean, norm?.variance, norm?.offset, norm?.scale]) {
      if (lease) yield lease;
    }
  }

  /** All that the packed form depends on. */
  #key(): string {
    const { geometry, info, bfloat16 } = this.#convolution;
    const { filter, bias, norm } = this.#leases;
    const values = [filter, bias, norm?.mean, norm?.variance, norm?.offset, norm?.scale].map((lease) => lease?.serial);
    return [values, norm?.epsilon, geometry, info.inShape, bfloat16].join();
  }

  #pack(): number {
    const { geometry, info, groups, bfloat16 } = this.#convolution;
    const { filter, bias, norm } = this.#leases;
    return this.#backend.native.packConvolution(
      filter.handle,
      bias?.handle ?? null,
      norm?.mean.handle ?? null,
      norm?.variance.handle ?? null,
      norm?.offset?.handle ?? null,
      norm?.scale?.handle ?? null,
      norm?.epsilon ?? 0,
      geometry,
      info.inShape,
      groups,
      bfloat16,
    );
  }
}
