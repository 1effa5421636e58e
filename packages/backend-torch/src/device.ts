import { engine } from '@tensorflow/tfjs-core';
import type { TorchBackend } from './backend.ts';
import type { Binding } from './binding.ts';
import { BACKEND_NAME } from './kernel.ts';

/** The processor, or a GPU by its number in CUDA's order. */
export type Device = 'cpu' | `cuda:${number}`;

/**
 * Chooses where tensors of this thread live and kernels run. Tensors that exist move when a kernel next takes them.
 *
 * @param kernels 'portable': on the processor, too, only those kernels that run on every device
 * @returns the device with its number
 * @throws Error for CUDA where it is missing, with the reason, and for names that are none
 */
export function chooseDevice(name: string, native: Binding, kernels: 'own' | 'portable' = 'own'): Device {
  checkDevice(name, native);
  // What was put off was put off for the device it began on.
  (engine().registry[BACKEND_NAME] as TorchBackend | undefined)?.computePending();
  return native.setDevice(name, kernels === 'portable') as Device;
}

function checkDevice(name: string, native: Binding): void {
  if (name === 'cpu') return;
  const number = /^cuda(?::(\d+))?$/.exec(name)?.[1] ?? '0';
  if (!/^cuda(:\d+)?$/.test(name)) {
    throw new Error(`Expected device 'cpu', 'cuda' or 'cuda:<number>', but got '${name}'.`);
  }
  const { libtorch } = native.versions();
  const count = native.cudaDevices();
  if (count < 0) {
    throw new Error(
      `Device '${name}': libtorch ${libtorch} was built without CUDA, so that only 'cpu' works. ` +
        'Install a CUDA build of it (pip install torch) and run: npx tfjs-backend-torch build',
    );
  }
  if (count === 0) throw new Error(`Device '${name}': libtorch ${libtorch} has CUDA, but the driver shows it no GPU.`);
  if (Number(number) >= count) {
    throw new Error(
      `Device '${name}': there ${count === 1 ? 'is one GPU' : `are ${count} GPUs`}, counted from cuda:0.`,
    );
  }
}

/** Which kernels SECATEUR_KERNELS asks for. */
export function kernelsFromEnvironment(environment: NodeJS.ProcessEnv = process.env): 'own' | 'portable' {
  const kernels = environment.SECATEUR_KERNELS || 'own';
  if (kernels === 'own' || kernels === 'portable') return kernels;
  throw new Error(`Expected SECATEUR_KERNELS to be 'own' or 'portable', but got '${kernels}'.`);
}
