// TensorFlow.js backend "torch": importing this module registers it and makes it the default.
import type { NativeMemory, Versions } from './binding.ts';
import { profileFromEnvironment } from './profile/at-exit.ts';
import { register } from './register.ts';

export { TorchBackend, type TorchMemoryInfo } from './backend.ts';
export type { NativeMemory, Versions } from './binding.ts';
export { type Precision, precision, setPrecision } from './precision.ts';
export { type Profile, type ProfileOptions, type ProfileRow, profile, startProfile } from './profile/profiler.ts';
export { formatProfile } from './profile/table.ts';
export { type KernelTable, kernelTable } from './register.ts';

const native = register();
profileFromEnvironment();

/**
 * How many threads kernels use. Starts at the number of physical cores, or OMP_NUM_THREADS.
 *
 * @throws Error unless count is an integer from 1 to 4096
 */
export function setThreads(count: number): void {
  native.setThreads(count);
}

export function threads(): number {
  return native.threads();
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
