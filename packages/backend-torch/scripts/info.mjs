// What this machine has: the libtorch that a build would use, and the addon that is built.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { addon } from './build.mjs';
import { CHOICES, findLibtorch } from './libtorch.mjs';
import { isOutdated } from './stamp.mjs';

/** @returns {boolean} whether the addon can be used */
export function info() {
  const libtorch = findLibtorch();
  console.log(libtorch ? `libtorch ${libtorch.version} from ${libtorch.from}: ${libtorch.libraries}` : CHOICES);
  if (!existsSync(addon)) {
    console.log('The addon is not built. Run: npx tfjs-backend-torch build');
    return false;
  }
  const native = createRequire(import.meta.url)(addon);
  const gpus = native.cudaDevices();
  console.log({
    addon,
    threads: native.threads(),
    ...native.versions(),
    gpus: gpus < 0 ? 'libtorch has no CUDA' : gpus,
  });
  if (isOutdated()) console.log('The addon is older than its sources. Run: npx tfjs-backend-torch build');
  return true;
}
