// Runs the kernels of a function again without the JavaScript between them.
import * as tf from '@tensorflow/tfjs-core';
import { TorchBackend } from './backend.ts';
import type { NativeTrace } from './binding.ts';
import { BACKEND_NAME } from './kernel.ts';

interface Spec {
  readonly shape: number[];
  readonly dtype: tf.DataType;
}

/** A function's kernels, for inputs of one shape. It holds native memory until `dispose`. */
export class Trace {
  readonly #backend: TorchBackend;
  readonly #trace: NativeTrace;
  readonly #inputs: readonly Spec[];
  readonly #outputs: readonly Spec[];
  readonly #read: readonly ReadTensor[];
  readonly #release: () => void;
  #isDisposed = false;

  /** Made by {@link trace}. */
  constructor(backend: TorchBackend, { native, inputs, outputs, read, release }: TraceParts) {
    this.#backend = backend;
    this.#trace = native;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#read = read;
    this.#release = release;
  }

  /**
   * What the function gives for these inputs, as new tensors. No gradients flow through it.
   *
   * @throws Error for inputs of other shapes or dtypes than those of the examples, when a weight that the function read was changed or
   *   disposed since, and after `dispose`
   */
  run(...inputs: tf.Tensor[]): tf.Tensor[] {
    if (this.#isDisposed) throw new Error('The trace is disposed.');
    this.#checkInputs(inputs);
    this.#checkRead();
    const backend = this.#backend;
    const handles = inputs.map((input) => backend.handle(input));
    const repeat = () =>
      backend.native.runTrace(this.#trace, handles).map((handle, i) => tensorOf(backend, handle, this.#outputs[i]!));
    return backend.timeTrace ? backend.timeTrace(inputs, repeat) : repeat();
  }

  /** Frees what the trace holds. May be called again. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#backend.native.releaseTrace(this.#trace);
    this.#release();
  }

  #checkRead(): void {
    const isSame = ({ dataId, serial, variables }: ReadTensor) =>
      this.#backend.serialOf(dataId) === serial && variables.every((variable) => variable.dataId === dataId);
    if (!this.#read.every(isSame)) {
      throw new Error(
        'A tensor that the traced function reads was changed or disposed since. Trace the function again.',
      );
    }
    // A trace that is being made reads what this one reads.
    for (const { dataId, serial } of this.#read) this.#backend.traceBeingMade?.onRead(dataId, serial);
  }

  #checkInputs(inputs: readonly tf.Tensor[]): void {
    if (inputs.length !== this.#inputs.length) {
      throw new Error(`Expected ${this.#inputs.length} inputs, as in the trace, but got ${inputs.length}.`);
    }
    inputs.forEach(({ shape, dtype }, i) => {
      const expected = this.#inputs[i]!;
      if (dtype === expected.dtype && tf.util.arraysEqual(shape, expected.shape)) return;
      throw new Error(
        `Input ${i}: expected ${expected.dtype}[${expected.shape}], which the function was traced for, but got ${dtype}[${shape}].`,
      );
    });
  }
}

/** A tensor from before the trace, as it was. */
interface ReadTensor {
  readonly dataId: tf.DataId;
  readonly serial: number;
  /** Those that had it as their value: assigning to them leaves it as it is where somebody else holds it. */
  readonly variables: readonly tf.Variable[];
}

interface TraceParts {
  readonly native: NativeTrace;
  readonly inputs: readonly Spec[];
  readonly outputs: readonly Spec[];
  readonly read: readonly ReadTensor[];
  readonly release: () => void;
}

/**
 * Runs a function once on examples and keeps the kernels that it ran, with their order and attributes. The trace runs them on other
 * values without going through tfjs: small networks on single images are then bound by arithmetic instead of JavaScript.
 * What the function decides and draws at random in JavaScript is decided once, and the precision is that of now.
 *
 * @param run gives one or more tensors that depend on its inputs
 * @param examples of float32, int32 or bool; their values do not matter
 * @throws Error when another backend than torch is current, the function gives a promise or reads values (dataSync, or an op
 *   that runs through tfjs-backend-cpu), or an output does not depend on the inputs
 */
export function trace(run: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[], ...examples: tf.Tensor[]): Trace {
  const backend = tf.backend();
  if (!(backend instanceof TorchBackend)) {
    throw new Error(`Expected the backend '${BACKEND_NAME}' to trace on, but the current one is '${tf.getBackend()}'.`);
  }
  if (backend.traceBeingMade)
    throw new Error('Expected no trace inside of another one: a trace is being made already.');
  if (examples.length === 0) throw new Error('Expected at least one example to trace with.');
  const { native } = backend;
  // A convolution that waits to be computed is no part of the trace.
  backend.computePending();
  const read = new Map<tf.DataId, number>();
  const kept: (() => void)[] = [];
  const release = () => {
    for (const free of kept) free();
  };
  let parts: TraceParts | undefined;
  try {
    tf.tidy(() => {
      // Of their own, so that nothing made from the examples before is taken for a constant.
      const inputs = examples.map((example) => copyOf(backend, example));
      const oldest = Math.min(...inputs.map(({ dataId }) => backend.serialOf(dataId)!));
      const isOlder = (serial: number) => serial < oldest;
      backend.traceBeingMade = {
        isOlder,
        onRead: (dataId, serial) => {
          if (isOlder(serial)) read.set(dataId, serial);
        },
        keep: (handle, free) => kept.push(() => free(handle)),
      };
      native.startTrace(inputs.map((input) => backend.handle(input)));
      const outputs = outputsOf(run(...inputs));
      const trace = native.endTrace(outputs.map((output) => backend.handle(output)));
      parts = {
        native: trace,
        inputs: examples.map(specOf),
        outputs: outputs.map(specOf),
        read: readTensors(read),
        release,
      };
    });
  } catch (error) {
    native.abandonTrace();
    release();
    throw error;
  } finally {
    backend.traceBeingMade = undefined;
  }
  return new Trace(backend, parts!);
}

function readTensors(read: ReadonlyMap<tf.DataId, number>): ReadTensor[] {
  const variables = Object.values(tf.engine().registeredVariables);
  return [...read].map(([dataId, serial]) => ({
    dataId,
    serial,
    variables: variables.filter((variable) => variable.dataId === dataId),
  }));
}

function outputsOf(result: unknown): tf.Tensor[] {
  // Refused below: its own failure is nobody's then.
  if (result instanceof Promise) result.catch(() => undefined);
  return [result].flat().map((output, i) => {
    if (output instanceof tf.Tensor) return output;
    throw new Error(
      `Expected a traced function to give tensors, but output ${i} is ${output instanceof Promise ? 'a promise' : typeof output}.`,
    );
  });
}

function specOf({ shape, dtype }: tf.Tensor): Spec {
  return { shape: [...shape], dtype };
}

/** The same values, with a dataId and a handle of their own. */
function copyOf(backend: TorchBackend, example: tf.Tensor): tf.Tensor {
  return tensorOf(backend, backend.native.viewAs(backend.handle(example), example.shape), example);
}

function tensorOf(backend: TorchBackend, handle: number, { shape, dtype }: Spec): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo(backend.make(handle, shape, dtype as 'float32'), backend);
}
