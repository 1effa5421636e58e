// The tfjs backend: who owns which native tensor, and how values get in and out.
import type { backend_util, DataType, MemoryInfo, Tensor, TensorInfo, TypedArray } from '@tensorflow/tfjs-core';
import { engine, KernelBackend, util } from '@tensorflow/tfjs-core';
import type { Binding, Handle, NativeDtype, NativeValues } from './binding.ts';
import { Lease } from './lease.ts';
import type { DeferredWork, Pending } from './pending.ts';

type DataId = TensorInfo['dataId'];

const STORED_BYTES = { float32: 4, int32: 4, bool: 1, bfloat16: 2 } as const;
type BackendValues = backend_util.BackendValues;

/** What a dataId stands for: a native tensor, or values that stay in JavaScript (string, complex64). */
type Data = NativeData | PlainData;

/** Which kernel made a tensor, from inputs of which shapes, and when by performance.now(); noted while a profile runs. */
export interface Origin {
  readonly kernel: string;
  readonly shapes: string;
  readonly time: number;
}

/** What `tf.memory()` returns while this backend is the current one, named like the WebGL backend's figures. */
export interface TorchMemoryInfo extends MemoryInfo {
  /** Live native tensors; tensors that share their data count once. */
  readonly numTensorsInNative: number;
  /** Bytes that live native tensors hold: half of what their dtype says where they are stored in bfloat16. */
  readonly numBytesInNative: number;
  /** Bytes kept for reuse; `trim` gives them back. */
  readonly numBytesInNativeFree: number;
}

/** What a trace that is being made has to do with tensors from before it. */
export interface TraceBeingMade {
  /** Told of every tensor that is read, by a kernel or by JavaScript. */
  onRead(dataId: DataId, serial: number): void;
  /** Whether a tensor was there before the trace, so that its values are the same every time. */
  isOlder(serial: number): boolean;
  /** Hands over something native that lives as long as the trace. */
  keep(handle: number, release: (handle: number) => void): void;
}

interface NativeData {
  readonly kind: 'native';
  readonly dtype: NativeDtype;
  /** undefined until `pending` is computed. */
  handle: Handle | undefined;
  pending: Pending | undefined;
  readonly shape: readonly number[];
  /** The same values under other shapes (tf.reshape shares the dataId), made when a kernel first asks. */
  views: Map<string, Handle> | undefined;
  refCount: number;
  readonly origin: Origin | undefined;
  /** Another one for other values. */
  serial: number;
  /** While there are any, disposing of it frees nothing yet, and nothing changes it in place. */
  leases: number;
  isDisposed: boolean;
  /** What was made of the values for kernels to come, the latest alone. */
  prepared: Prepared | undefined;
}

/** Something native made from a tensor, under a key that says what else it depends on. */
interface Prepared {
  readonly key: string;
  readonly handle: number;
  readonly release: (handle: number) => void;
}

interface PlainData {
  readonly kind: 'plain';
  readonly dtype: 'string' | 'complex64';
  /** Encoded strings, or real and imaginary parts by turns. */
  readonly values: BackendValues;
  refCount: number;
}

/** A TensorFlow.js backend whose tensors live in libtorch. Disposing a tensor frees its memory at once. */
export class TorchBackend extends KernelBackend {
  readonly native: Binding;
  /** What tensors that are made now descend from; undefined unless a profile runs. */
  origin: Origin | undefined;
  /** Told of every pending tensor that was computed; undefined unless a profile runs. */
  onComputed: ((work: DeferredWork, output: TensorInfo, ms: number) => void) | undefined;
  /** Runs a trace and times it; undefined unless a profile runs. */
  timeTrace: ((inputs: readonly Tensor[], run: () => Tensor[]) => Tensor[]) | undefined;
  traceBeingMade: TraceBeingMade | undefined;
  readonly #data = new Map<DataId, Data>();
  #serials = 0;

  constructor(native: Binding) {
    super();
    this.native = native;
  }

  override write(values: BackendValues | null, shape: number[], dtype: DataType): DataId {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: DataId,
    values: BackendValues | null,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    this.#data.set(
      dataId,
      isNative(dtype)
        ? this.#nativeData(
            this.native.fromArray(toNativeValues(values, shape, dtype), shape, dtype),
            shape,
            dtype,
            refCount,
          )
        : { kind: 'plain', dtype, values: values ?? [], refCount },
    );
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    const data = this.#get(dataId);
    return data.kind === 'native' ? this.native.toArrayAsync(this.#readHandle(dataId, data)) : data.values;
  }

  override readSync(dataId: DataId): BackendValues {
    const data = this.#get(dataId);
    return data.kind === 'native' ? this.native.toArray(this.#readHandle(dataId, data)) : data.values;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const data = this.#data.get(dataId);
    if (!data) return true;
    data.refCount--;
    if (!force && data.refCount > 0) return false;
    this.#data.delete(dataId);
    if (data.kind === 'native') {
      data.isDisposed = true;
      if (data.leases === 0) this.#free(data);
    }
    return true;
  }

  override incRef(dataId: DataId): void {
    this.#get(dataId).refCount++;
  }

  decRef(dataId: DataId): void {
    this.#get(dataId).refCount--;
  }

  override refCount(dataId: DataId): number {
    return this.#data.get(dataId)?.refCount ?? 0;
  }

  override numDataIds(): number {
    return this.#data.size;
  }

  override memory(): Pick<TorchMemoryInfo, 'numTensorsInNative' | 'numBytesInNative' | 'numBytesInNativeFree'> & {
    unreliable: boolean;
  } {
    const { tensors, bytes, reservedBytes } = this.native.memory();
    return {
      unreliable: false,
      numTensorsInNative: tensors,
      numBytesInNative: bytes,
      numBytesInNativeFree: reservedBytes,
    };
  }

  /** Bytes that a tensor's values take as they are stored; 0 for strings. */
  bytesOf({ dataId, shape }: TensorInfo): number {
    const data = this.#get(dataId);
    const size = util.sizeFromShape(shape);
    if (data.kind === 'plain') return data.dtype === 'complex64' ? 8 * size : 0;
    return size * this.storedBytes(this.#handleOf(data));
  }

  /** Bytes of one value. */
  storedBytes(handle: Handle): number {
    return STORED_BYTES[this.native.storageType(handle)];
  }

  /** Live native tensors whose origin is known, with their bytes. */
  *withOrigin(): Iterable<{ readonly origin: Origin; readonly bytes: number }> {
    for (const data of this.#data.values()) {
      if (data.kind !== 'native' || !data.origin) continue;
      const bytes = util.sizeFromShape(data.shape as number[]) * this.storedBytes(this.#handleOf(data));
      yield { origin: data.origin, bytes };
    }
  }

  override timerAvailable(): boolean {
    return true;
  }

  /** Wall time up to the end of the last kernel. */
  override async time(run: () => void): Promise<backend_util.TimingInfo> {
    this.native.synchronise();
    const start = performance.now();
    run();
    this.native.synchronise();
    const kernelMs = performance.now() - start;
    return { kernelMs, wallMs: kernelMs };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  /** tf.removeBackend and tf.engine().reset() call this; the tensors go, the addon stays. */
  override dispose(): void {
    for (const dataId of [...this.#data.keys()]) this.disposeData(dataId, true);
  }

  /**
   * The native tensor behind a TensorInfo, in the TensorInfo's shape. The backend keeps ownership.
   *
   * @throws Error when the tensor was disposed or has no native storage
   */
  handle(info: TensorInfo): Handle {
    const data = this.#get(info.dataId);
    if (data.kind !== 'native') throw new Error(`A ${data.dtype} tensor has no native storage.`);
    const handle = this.#readHandle(info.dataId, data);
    if (util.arraysEqual(data.shape as number[], info.shape)) return handle;
    const key = info.shape.join();
    let view = data.views?.get(key);
    if (view === undefined) {
      view = this.native.viewAs(handle, info.shape);
      data.views ??= new Map();
      data.views.set(key, view);
    }
    return view;
  }

  optionalHandle(info: TensorInfo | undefined): Handle | null {
    return info ? this.handle(info) : null;
  }

  /** Wraps a fresh native tensor; the backend owns the handle from here on. */
  make(handle: Handle, shape: readonly number[], dtype: NativeDtype = 'float32'): TensorInfo {
    const dataId = {};
    this.#data.set(dataId, this.#nativeData(handle, shape, dtype, 1));
    return { dataId, shape: [...shape], dtype };
  }

  /** A TensorInfo for values from JavaScript. */
  makeFromValues(values: BackendValues, shape: number[], dtype: DataType): TensorInfo {
    return { dataId: this.write(values, shape, dtype), shape, dtype };
  }

  /** The same data under another shape. */
  share(info: TensorInfo, shape: readonly number[] = info.shape): TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: [...shape], dtype: info.dtype };
  }

  /** Whether nothing else refers to a native tensor, so that it may be changed in place. */
  isOwned(info: TensorInfo): boolean {
    const data = this.#get(info.dataId);
    return data.kind === 'native' && data.refCount === 1 && data.leases === 0;
  }

  /** To be called when a native tensor was changed in place: what was made of it has the old values. */
  changedInPlace(info: TensorInfo): void {
    const data = this.#get(info.dataId);
    if (data.kind !== 'native') return;
    this.#releaseDerived(data);
    data.serial = ++this.#serials;
  }

  /** A float32 tensor that is computed when somebody reads it. */
  defer(pending: Pending, shape: readonly number[]): TensorInfo {
    const dataId = {};
    this.#data.set(dataId, { ...this.#nativeData(0, shape, 'float32', 1), handle: undefined, pending });
    return { dataId, shape: [...shape], dtype: 'float32' };
  }

  /** What a tensor waits for; undefined if it was computed, or if others than the caller may read it. */
  pendingOf(info: TensorInfo): Pending | undefined {
    const data = this.#get(info.dataId);
    const isAlone =
      data.kind === 'native' && data.refCount === 1 && util.arraysEqual(data.shape as number[], info.shape);
    return isAlone ? data.pending : undefined;
  }

  /** Grows with every tensor that is made, and every change in place; undefined for a tensor that is disposed. */
  serialOf(dataId: DataId): number | undefined {
    const data = this.#data.get(dataId);
    return data?.kind === 'native' ? data.serial : undefined;
  }

  /** False for what a trace that is being made computes anew every time. */
  isFixed(info: TensorInfo): boolean {
    if (!this.traceBeingMade) return true;
    const data = this.#get(info.dataId);
    // A view under another shape is computed by the trace, too.
    return (
      data.kind === 'native' &&
      this.traceBeingMade.isOlder(data.serial) &&
      util.arraysEqual(data.shape as number[], info.shape)
    );
  }

  computePending(): void {
    for (const data of this.#data.values()) {
      if (data.kind === 'native') this.#handleOf(data);
    }
  }

  isPending(info: TensorInfo): boolean {
    const data = this.#data.get(info.dataId);
    return data?.kind === 'native' && data.pending !== undefined;
  }

  /** Keeps a native tensor's values for later, also when it is disposed before. */
  lease(info: TensorInfo): Lease {
    const handle = this.handle(info);
    const data = this.#get(info.dataId) as NativeData;
    data.leases++;
    const onEnd = () => {
      if (--data.leases === 0 && data.isDisposed) this.#free(data);
    };
    return new Lease(handle, { shape: info.shape, serial: data.serial, onEnd });
  }

  /**
   * Something native made from a tensor, kept with it until its values change, it is disposed, or another key is asked for;
   * undefined where the tensor is disposed already.
   */
  prepared(
    info: TensorInfo,
    key: string,
    { make, release }: { make: () => number; release: (handle: number) => void },
  ): number | undefined {
    const data = this.#data.get(info.dataId);
    if (data?.kind !== 'native') return undefined;
    if (data.prepared?.key === key) return data.prepared.handle;
    this.#releasePrepared(data);
    data.prepared = { key, handle: make(), release };
    return data.prepared.handle;
  }

  #nativeData(handle: Handle, shape: readonly number[], dtype: NativeDtype, refCount: number): NativeData {
    return {
      kind: 'native',
      dtype,
      handle,
      pending: undefined,
      shape: [...shape],
      views: undefined,
      refCount,
      origin: this.origin,
      serial: ++this.#serials,
      leases: 0,
      isDisposed: false,
      prepared: undefined,
    };
  }

  #readHandle(dataId: DataId, data: NativeData): Handle {
    this.traceBeingMade?.onRead(dataId, data.serial);
    return this.#handleOf(data);
  }

  #handleOf(data: NativeData): Handle {
    if (data.handle !== undefined) return data.handle;
    const pending = data.pending!;
    const start = performance.now();
    data.handle = pending.compute();
    data.pending = undefined;
    const output = { dataId: {}, shape: [...data.shape], dtype: data.dtype };
    this.onComputed?.(pending.work, output, performance.now() - start);
    pending.release();
    return data.handle;
  }

  #free(data: NativeData): void {
    this.#releaseDerived(data);
    if (data.handle !== undefined) this.native.release(data.handle);
    data.pending?.release();
  }

  #releaseDerived(data: NativeData): void {
    for (const view of data.views?.values() ?? []) this.native.release(view);
    data.views = undefined;
    this.#releasePrepared(data);
  }

  #releasePrepared(data: NativeData): void {
    data.prepared?.release(data.prepared.handle);
    data.prepared = undefined;
  }

  #get(dataId: DataId): Data {
    let data = this.#data.get(dataId);
    if (!data && engine().state.tensorInfo.has(dataId)) {
      // The tensor was made on another backend; tfjs moves it here on first use.
      engine().moveData(this, dataId);
      data = this.#data.get(dataId);
      // It is older than any trace, whenever it came here.
      if (data?.kind === 'native') data.serial = 0;
    }
    if (!data) throw new Error('The tensor is disposed, or was never registered with the torch backend.');
    return data;
  }
}

function isNative(dtype: DataType): dtype is NativeDtype {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

function toNativeValues(values: BackendValues | null, shape: number[], dtype: NativeDtype): NativeValues {
  if (!values) return util.makeZerosTypedArray(util.sizeFromShape(shape), dtype) as NativeValues;
  if (dtype === 'float32') return values instanceof Float32Array ? values : Float32Array.from(values as TypedArray);
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values as TypedArray);
  return values instanceof Uint8Array ? values : Uint8Array.from(values as TypedArray);
}
