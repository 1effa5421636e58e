// TensorFlow.js backend "torch": importing this module registers it and makes it the default.
import type { NativeMemory, Versions } from './binding.ts';
import { chooseDevice, type Device, kernelsFromEnvironment } from './device.ts';
import { profileFromEnvironment } from './profile/at-exit.ts';
import { register } from './register.ts';
import { mostThreads } from './threads.ts';

export { TorchBackend, type TorchMemoryInfo } from './backend.ts';
export type { NativeMemory, Versions } from './binding.ts';
export type { Device } from './device.ts';
export { type Precision, precision, setPrecision } from './precision.ts';
export { type Profile, type ProfileOptions, type ProfileRow, profile, startProfile } from './profile/profiler.ts';
export { formatProfile } from './profile/table.ts';
export { type KernelTable, kernelTable } from './register.ts';
export { Trace, trace } from './trace.ts';

const native = register();
let current: Device = 'cpu';
setDevice(process.env.SECATEUR_DEVICE || 'cpu');
profileFromEnvironment();

/**
 * How many threads kernels use. Starts at the number of physical cores, or OMP_NUM_THREADS.
 *
 * @throws Error unless count is an integer from 1 to four for each processor, or to 8 where those are fewer
 */
export function setThreads(count: number): void {
  if (count > mostThreads()) {
    throw new Error(
      `Expected at most ${mostThreads()} threads on this machine, but got ${count}; about one for each core is fastest.`,
    );
  }
  native.setThreads(count);
}

export function threads(): number {
  return native.threads();
}

/**
 * Where tensors of this thread live and kernels run: 'cpu', 'cuda' (the first GPU) or 'cuda:<number>'. Starts at SECATEUR_DEVICE, or 'cpu'.
 * Tensors that exist already move when they are next used.
 *
 * @throws Error for CUDA where libtorch or the machine lacks it, and for any other name
 */
export function setDevice(name: string): void {
  current = chooseDevice(name, native, kernelsFromEnvironment());
}

export function device(): Device {
  return current;
}

/** Waits until the device has finished all kernels. A GPU works while JavaScript goes on; the processor has always finished. */
export function synchronise(): void {
  native.synchronise();
}

/** Live native tensors, their bytes, and the bytes kept for reuse. */
export function memory(): NativeMemory {
  return native.memory();
}

/** Gives the memory kept for reuse back to the system; returns its bytes. */
export function trim(): number {
  return native.trim();
}

export function versions(): Versions {
  return native.versions();
}
