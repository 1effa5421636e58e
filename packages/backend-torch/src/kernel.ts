// How a kernel of this backend is written down: a name, which inputs it takes natively, and what to run.
import type { DataType, KernelConfig, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import type { TorchBackend } from './backend.ts';
import { viaCpu } from './via-cpu.ts';

export const BACKEND_NAME = 'torch';

export interface KernelCall<Inputs, Attrs> {
  readonly inputs: Inputs;
  readonly attrs: Attrs;
  readonly backend: TorchBackend;
}

export interface KernelOptions<Inputs, Attrs> {
  /** Inputs of any other dtype go to the cpu kernel of the same name. Default: float32 alone. */
  readonly dtypes?: readonly DataType[];
  /** Further conditions for the native way, e.g. on the data format. */
  readonly when?: (call: KernelCall<Inputs, Attrs>) => boolean;
  /** Throws at what neither way may be given. */
  readonly check?: (call: KernelCall<Inputs, Attrs>) => void;
}

export const NUMERIC: readonly DataType[] = ['float32', 'int32'];
export const NATIVE: readonly DataType[] = ['float32', 'int32', 'bool'];

/** A kernel that runs natively where its options allow, else through tfjs-backend-cpu. */
export function kernel<Inputs, Attrs>(
  kernelName: string,
  options: KernelOptions<Inputs, Attrs>,
  run: (call: KernelCall<Inputs, Attrs>) => TensorInfo | TensorInfo[],
): KernelConfig {
  const { dtypes = ['float32'], when, check } = options;
  const fallback = viaCpu(kernelName);
  const kernelFunc: KernelFunc = (params) => {
    const call = params as unknown as KernelCall<Inputs, Attrs>;
    check?.(call);
    const allowed = tensorsOf(params.inputs).every((input) => dtypes.includes(input.dtype));
    return allowed && (when?.(call) ?? true) ? run(call) : fallback(params);
  };
  return { kernelName, backendName: BACKEND_NAME, kernelFunc };
}

/** A kernel of this package alone: nothing to fall back to, so a wrong dtype is an error. */
export function fusedKernel<Inputs, Attrs>(
  kernelName: string,
  dtypes: { readonly [Name in keyof Inputs]-?: DataType },
  run: (call: KernelCall<Inputs, Attrs>) => TensorInfo[] | TensorInfo,
): KernelConfig {
  const expected = Object.entries<DataType>(dtypes);
  const kernelFunc: KernelFunc = (params) => {
    for (const [name, dtype] of expected) {
      const input = params.inputs[name];
      if (input && input.dtype !== dtype) {
        throw new Error(`${kernelName}: expected ${name} to be ${dtype}, but got ${input.dtype}.`);
      }
    }
    return run(params as unknown as KernelCall<Inputs, Attrs>);
  };
  return { kernelName, backendName: BACKEND_NAME, kernelFunc };
}

/** The tensors among a kernel's inputs, lists of them flattened. */
export function tensorsOf(inputs: object): TensorInfo[] {
  return Object.values(inputs)
    .flat()
    .filter((input): input is TensorInfo => input != null);
}

export function isEmpty(info: TensorInfo): boolean {
  return info.shape.includes(0);
}
