// Compiles the addon against the libtorch of this machine into build/Release. Does nothing when sources and libtorch are unchanged.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CHOICES, findLibtorch } from './libtorch.mjs';
import { readStamp, stampOf, writeStamp } from './stamp.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const buildFolder = join(root, 'build');
export const addon = join(buildFolder, 'Release', 'secateur_torch.node');

/**
 * @param {{ quiet?: boolean }} options quiet: say nothing when there is nothing to do
 * @returns {boolean} whether the addon is there, freshly built or still current
 */
export function build({ quiet = false } = {}) {
  const started = Date.now();
  const libtorch = findLibtorch();
  if (!libtorch) return fail(CHOICES);
  const stamp = stampOf(libtorch);
  const built = readStamp();
  const isCurrent = Object.keys(stamp).every((part) => built[part] === stamp[part]);
  if (existsSync(addon) && isCurrent) {
    if (!quiet) console.log(`The addon is current (libtorch ${libtorch.version} from ${libtorch.from}).`);
    return true;
  }
  console.log(`Building the addon with libtorch ${libtorch.version} from ${libtorch.from} ...`);
  // CMake remembers where it found libraries and headers.
  if (built.libtorch !== stamp.libtorch) rmSync(buildFolder, { recursive: true, force: true });
  mkdirSync(buildFolder, { recursive: true });
  const steps = [
    ['cmake', ['-S', root, '-B', buildFolder, '-DCMAKE_BUILD_TYPE=Release', ...definitions(libtorch)]],
    ['cmake', ['--build', buildFolder, '--parallel', String(availableParallelism())]],
  ];
  for (const [command, args] of steps) {
    const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (result.error)
      return fail(
        `Could not run ${command}: ${result.error.message}. Install cmake (3.18 or newer) and a C++17 compiler.`,
      );
    if (result.status !== 0)
      return fail(`${result.stdout}\n${result.stderr}\n${command} failed with exit code ${result.status}.`);
  }
  writeStamp(stamp);
  console.log(`Built ${addon} in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
  return true;
}

function fail(message) {
  console.error(message);
  return false;
}

function definitions(libtorch) {
  const require = createRequire(import.meta.url);
  const nodeIncludes = [
    require('node-api-headers').include_dir,
    dirname(require.resolve('node-addon-api/package.json')),
  ];
  // C++17 is what libtorch up to 2.x asks for; later ones say C++20 in their headers.
  const [major = 0, minor = 0] = libtorch.version.split('.').map(Number);
  const standard = major > 2 || (major === 2 && minor >= 10) ? 20 : 17;
  return [
    `-DTORCH_INCLUDE_DIRS=${libtorch.includes.join(';')}`,
    `-DTORCH_LIBRARY_DIRS=${libtorch.libraries.join(';')}`,
    `-DNODE_INCLUDE_DIRS=${nodeIncludes.join(';')}`,
    `-DTORCH_CXX11_ABI=${libtorch.abi}`,
    `-DCMAKE_CXX_STANDARD=${standard}`,
  ];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = build({ quiet: process.argv.includes('--quiet') }) ? 0 : 1;
