// The tests' own device; strict_device.cc says what it forbids.
import { createRequire } from 'node:module';
import type { Binding } from '../../src/binding.ts';

interface StrictDevice {
  /** waits: how often JavaScript stood still until the device was done; events: reads that another thread waits for. */
  counts(): { readonly waits: number; readonly events: number };
}

/** Announces the device to libtorch. Works from its own folder, and from a bundle in a folder of the package. */
export function loadStrictDevice(): StrictDevice {
  const require = createRequire(import.meta.url);
  const path = ['../build', '../../build'].map((folder) => `${folder}/Release/strict_device.node`);
  const found = path.find((candidate) => canResolve(require, candidate));
  if (!found) throw new Error('The strict device has not been built. Run: npm run build:native');
  return require(found) as StrictDevice;
}

export function chooseStrictDevice(native: Binding): void {
  native.setDevice('privateuseone', false);
}

function canResolve(require: NodeJS.Require, path: string): boolean {
  try {
    require.resolve(path);
    return true;
  } catch {
    return false;
  }
}
