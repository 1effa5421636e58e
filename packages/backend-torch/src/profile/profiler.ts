// Which kernels a program spends its time in, and which kernels made the tensors that it never disposed.
import * as tf from '@tensorflow/tfjs-core';
import type { Origin, TorchBackend } from '../backend.ts';
import { BACKEND_NAME, tensorsOf } from '../kernel.ts';
import type { DeferredWork } from '../pending.ts';
import { flopsOf, movesMemory } from './work.ts';

/** All calls of one kernel. */
export interface ProfileRow {
  /**
   * The kernel's name; with `byShape` followed by its inputs' shapes. `tf.tensor` stands for values from JavaScript, `trace` for all kernels
   * of a trace's run.
   */
  readonly kernel: string;
  readonly count: number;
  readonly ms: number;
  /** Multiplications and additions, by formula from the shapes; null unless it is a convolution or matrix product. */
  readonly flops: number | null;
  /** Bytes of inputs and outputs as they are stored, each tensor of a call counted once. */
  readonly bytes: number;
  /** 10^9 flops per second. */
  readonly gflopsPerSecond: number | null;
  /** 10^9 bytes per second. */
  readonly gigabytesPerSecond: number;
  /** Native tensors that it made since the profile began and that are still alive. */
  readonly alive: number;
  readonly aliveBytes: number;
}

export interface ProfileOptions {
  /** A row for each kernel and its inputs' shapes, instead of one for each kernel. */
  readonly byShape?: boolean;
}

export interface Profile {
  /** So far, those that took longest first. */
  rows(): ProfileRow[];
  /** Ends the profile; kernels run without a detour again. */
  stop(): ProfileRow[];
}

/** Not a kernel: values that came from JavaScript. */
const UPLOAD = 'tf.tensor';
/** Not a kernel: all those that a trace runs, in one native call. */
const TRACE = 'trace';
/** What a backend tells of while a profile runs. */
const WATCHERS = { onComputed: recordDeferred, timeTrace };

interface Total {
  count: number;
  ms: number;
  flops: number | null;
  bytes: number;
}

class Recorder implements Profile {
  readonly #byShape: boolean;
  readonly #start = performance.now();
  readonly #totals = new Map<string, Total>();

  constructor({ byShape = false }: ProfileOptions) {
    this.#byShape = byShape;
  }

  add(origin: Origin, { ms, flops, bytes }: Omit<Total, 'count'>): void {
    const label = this.#labelOf(origin);
    const total = this.#totals.get(label) ?? { count: 0, ms: 0, flops: null, bytes: 0 };
    this.#totals.set(label, {
      count: total.count + 1,
      ms: total.ms + ms,
      flops: flops === null ? total.flops : (total.flops ?? 0) + flops,
      bytes: total.bytes + bytes,
    });
  }

  rows(): ProfileRow[] {
    const alive = this.#alive();
    const labels = new Set([...this.#totals.keys(), ...alive.keys()]);
    const rows = [...labels].map((kernel): ProfileRow => {
      const { count, ms, flops, bytes } = this.#totals.get(kernel) ?? { count: 0, ms: 0, flops: null, bytes: 0 };
      return {
        kernel,
        count,
        ms,
        flops,
        bytes,
        gflopsPerSecond: flops === null ? null : perSecond(flops, ms),
        gigabytesPerSecond: perSecond(bytes, ms),
        alive: alive.get(kernel)?.count ?? 0,
        aliveBytes: alive.get(kernel)?.bytes ?? 0,
      };
    });
    return rows.sort((a, b) => b.ms - a.ms);
  }

  stop(): ProfileRow[] {
    const rows = this.rows();
    if (active.delete(this) && active.size === 0) runUndisturbed();
    return rows;
  }

  #labelOf({ kernel, shapes }: Origin): string {
    return this.#byShape ? `${kernel} ${shapes}`.trimEnd() : kernel;
  }

  #alive(): Map<string, { count: number; bytes: number }> {
    const alive = new Map<string, { count: number; bytes: number }>();
    for (const { origin, bytes } of torchBackend()?.withOrigin() ?? []) {
      if (origin.time < this.#start) continue;
      const label = this.#labelOf(origin);
      const total = alive.get(label) ?? { count: 0, bytes: 0 };
      alive.set(label, { count: total.count + 1, bytes: total.bytes + bytes });
    }
    return alive;
  }
}

const active = new Set<Recorder>();
let undisturbed: tf.KernelConfig[] = [];
/** Time of all deferred work so far: it is no part of the kernel that happened to ask for it. */
let deferredMs = 0;

/**
 * Begins to count the kernels of this backend. Until the last profile stops, every kernel in tfjs's registry is replaced by one that
 * is timed; without a profile they cost nothing. A call's time is wall time up to the kernel's end, for
 * which a profile waits; without one, a GPU works on while JavaScript calls the next kernel.
 */
export function startProfile(options: ProfileOptions = {}): Profile {
  const recorder = new Recorder(options);
  active.add(recorder);
  if (active.size === 1) runTimed();
  return recorder;
}

/**
 * Runs a function and profiles it, up to the end of its promise if it returns one.
 *
 * @throws what the function throws; the profile is stopped all the same
 */
export async function profile<Result>(
  run: () => Result | Promise<Result>,
  options: ProfileOptions = {},
): Promise<{ result: Result; rows: ProfileRow[] }> {
  const running = startProfile(options);
  try {
    const result = await run();
    return { result, rows: running.rows() };
  } finally {
    running.stop();
  }
}

function runTimed(): void {
  undisturbed = tf.getKernelsForBackend(BACKEND_NAME);
  replaceKernels(undisturbed.map(timed));
  const backend = torchBackend();
  if (backend) Object.assign(backend, { origin: originOf(UPLOAD, []), ...WATCHERS });
}

function runUndisturbed(): void {
  replaceKernels(undisturbed);
  const backend = torchBackend();
  if (backend) Object.assign(backend, { origin: undefined, onComputed: undefined, timeTrace: undefined });
}

function replaceKernels(configs: readonly tf.KernelConfig[]): void {
  for (const config of configs) {
    // Registered over another one, a kernel would be announced on the console.
    tf.unregisterKernel(config.kernelName, BACKEND_NAME);
    tf.registerKernel(config);
  }
}

function timeTrace(inputs: readonly tf.Tensor[], run: () => tf.Tensor[]): tf.Tensor[] {
  const backend = torchBackend()!;
  const origin = originOf(TRACE, inputs);
  backend.origin = origin;
  backend.native.synchronise();
  const start = performance.now();
  let outputs: tf.Tensor[];
  try {
    outputs = run();
    backend.native.synchronise();
  } finally {
    backend.origin = originOf(UPLOAD, []);
  }
  const ms = performance.now() - start;
  const bytes = bytesOf([...inputs, ...outputs], backend);
  for (const recorder of active) recorder.add(origin, { ms, flops: null, bytes });
  return outputs;
}

function timed(config: tf.KernelConfig): tf.KernelConfig {
  const { kernelName, kernelFunc } = config;
  return {
    ...config,
    kernelFunc: (params) => {
      const backend = params.backend as TorchBackend;
      const inputs = kernelName === tf.FromPixels ? [] : tensorsOf(params.inputs);
      const origin = originOf(kernelName, inputs);
      Object.assign(backend, { origin, ...WATCHERS });
      const deferredBefore = deferredMs;
      backend.native.synchronise();
      const start = performance.now();
      let result: ReturnType<tf.KernelFunc>;
      try {
        result = kernelFunc(params);
        backend.native.synchronise();
      } finally {
        backend.origin = originOf(UPLOAD, []);
      }
      const ms = performance.now() - start - (deferredMs - deferredBefore);
      const outputs = [result].flat();
      // It counts when it is computed.
      if (
        outputs.some((output) => backend.isPending(output) && !inputs.some(({ dataId }) => dataId === output.dataId))
      ) {
        return result;
      }
      const flops = flopsOf(kernelName, { inputs: params.inputs, attrs: params.attrs ?? {}, outputs }) ?? null;
      const bytes = movesMemory(kernelName) ? bytesOf([...inputs, ...outputs], backend) : 0;
      for (const recorder of active) recorder.add(origin, { ms, flops, bytes });
      return result;
    },
  };
}

/** Adds what was put off by one kernel, and computed inside another or while values were read. */
function recordDeferred({ kernels, inputs, bytes }: DeferredWork, output: tf.TensorInfo, ms: number): void {
  deferredMs += ms;
  const flops = flopsOf(kernels[0], { inputs, attrs: {}, outputs: [output] }) ?? null;
  const origin = originOf(kernels.join('+'), Object.values(inputs));
  for (const recorder of active) recorder.add(origin, { ms, flops, bytes });
}

function originOf(kernel: string, inputs: readonly tf.TensorInfo[]): Origin {
  return { kernel, shapes: inputs.map(({ shape }) => `[${shape}]`).join(' '), time: performance.now() };
}

function bytesOf(tensors: readonly tf.TensorInfo[], backend: TorchBackend): number {
  const distinct = new Map(tensors.map((tensor) => [tensor.dataId, tensor]));
  return [...distinct.values()].reduce((total, tensor) => total + backend.bytesOf(tensor), 0);
}

function torchBackend(): TorchBackend | null {
  return tf.findBackend(BACKEND_NAME) as TorchBackend | null;
}

function perSecond(amount: number, ms: number): number {
  return ms > 0 ? amount / ms / 1e6 : 0;
}
