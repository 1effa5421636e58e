// TensorFlow.js backend "torch": importing this module registers it and makes it the default.
import type { NativeMemory, Versions } from './binding.ts';
import { checkDevice, type Device } from './device.ts';
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

const native = register();
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
 * Where tensors live and kernels run. Starts at SECATEUR_DEVICE, or 'cpu', which is all that works in this version.
 *
 * @throws Error for 'cuda' and 'cuda:<number>', with what is missing, and for any other name
 */
export function setDevice(name: string): void {
  checkDevice(name, native);
}

export function device(): Device {
  return 'cpu';
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
