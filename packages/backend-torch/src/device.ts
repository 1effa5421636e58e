import type { Binding } from './binding.ts';

export type Device = 'cpu';

/**
 * Checks where tensors are to live.
 *
 * @throws Error for CUDA, with what is missing, and for names that are none
 */
export function checkDevice(name: string, native: Binding): asserts name is Device {
  if (name === 'cpu') return;
  if (!/^cuda(:\d+)?$/.test(name)) {
    throw new Error(`Expected device 'cpu', 'cuda' or 'cuda:<number>', but got '${name}'.`);
  }
  const { libtorch } = native.versions();
  throw new Error(
    native.hasCuda()
      ? `Device '${name}': libtorch ${libtorch} has CUDA, but the kernels of this backend compute in the processor's memory only. Use 'cpu'.`
      : `Device '${name}': libtorch ${libtorch} was built without CUDA, so that only 'cpu' works.`,
  );
}
