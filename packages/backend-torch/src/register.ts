// Everything that makes the backend known to tfjs.
import { getKernelsForBackend, type KernelConfig, registerBackend, registerKernel } from '@tensorflow/tfjs-core';
import { TorchBackend } from './backend.ts';
import { type Binding, loadBinding } from './binding.ts';
import { BACKEND_NAME } from './kernel.ts';
import { batchNormKernels } from './kernels/batch-norm.ts';
import { binaryKernels } from './kernels/binary.ts';
import { convolutionKernels } from './kernels/convolution.ts';
import { creationKernels } from './kernels/creation.ts';
import { fusedKernels } from './kernels/fused.ts';
import { matmulKernels } from './kernels/matmul.ts';
import { fromPixels } from './kernels/pixels.ts';
import { poolingKernels } from './kernels/pooling.ts';
import { reductionKernels } from './kernels/reduction.ts';
import { searchKernels } from './kernels/search.ts';
import { shapeKernels } from './kernels/shape.ts';
import { unaryKernels } from './kernels/unary.ts';
import { registerPrecisionFlags } from './precision.ts';
import { defaultThreads } from './threads.ts';
import { viaCpu } from './via-cpu.ts';

/** Above tfjs-backend-cpu's 1, so that torch is the default once it is imported. */
const PRIORITY = 3;

const NATIVE_KERNELS: readonly KernelConfig[] = [
  ...unaryKernels,
  ...binaryKernels,
  ...reductionKernels,
  ...shapeKernels,
  ...creationKernels,
  ...matmulKernels,
  ...convolutionKernels,
  ...poolingKernels,
  ...batchNormKernels,
  ...searchKernels,
  fromPixels,
];

/** Names by how they run: natively, natively and unknown to plain tfjs, or through tfjs-backend-cpu. */
export interface KernelTable {
  readonly native: readonly string[];
  readonly fused: readonly string[];
  readonly viaCpu: readonly string[];
}

export function kernelTable(): KernelTable {
  const names = (configs: readonly KernelConfig[]) => configs.map((config) => config.kernelName).sort();
  const native = names(NATIVE_KERNELS);
  return {
    native,
    fused: names(fusedKernels),
    viaCpu: names(getKernelsForBackend('cpu')).filter((name) => !native.includes(name)),
  };
}

/** Loads the addon, sets the threads, registers backend and kernels. */
export function register(): Binding {
  const binding = loadBinding();
  binding.setThreads(defaultThreads());
  registerPrecisionFlags(binding);
  for (const config of [...NATIVE_KERNELS, ...fusedKernels]) registerKernel(config);
  for (const kernelName of kernelTable().viaCpu) {
    registerKernel({ kernelName, backendName: BACKEND_NAME, kernelFunc: viaCpu(kernelName) });
  }
  registerBackend(BACKEND_NAME, () => new TorchBackend(binding), PRIORITY);
  return binding;
}
