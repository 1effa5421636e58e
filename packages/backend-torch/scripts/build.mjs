// Compiles the addon against the libtorch of this machine into build/Release. Does nothing when sources and libtorch are unchanged.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CHOICES, findLibtorch } from './libtorch.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const buildFolder = join(root, 'build');
export const addon = join(buildFolder, 'Release', 'secateur_torch.node');
const stampFile = join(buildFolder, 'stamp');

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
  if (existsSync(addon) && built.sources === stamp.sources && built.libtorch === stamp.libtorch) {
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
  writeFileSync(stampFile, JSON.stringify(stamp));
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

/** What the binary depends on: every source, the libtorch, the processor it was tuned for. */
function stampOf(libtorch) {
  const hash = createHash('sha256');
  const sources = ['native', 'native/portable', 'test/strict-device'].flatMap((folder) =>
    sourcesIn(join(root, folder)),
  );
  for (const file of [join(root, 'CMakeLists.txt'), ...sources])
    hash.update(file.slice(root.length)).update(readFileSync(file));
  hash.update(JSON.stringify([process.platform, process.arch, cpus()[0]?.model]));
  return { libtorch: JSON.stringify(libtorch), sources: hash.digest('hex') };
}

function sourcesIn(folder) {
  if (!existsSync(folder)) return [];
  const isSource = (name) => ['.cc', '.h'].includes(extname(name));
  return readdirSync(folder)
    .filter(isSource)
    .sort()
    .map((name) => join(folder, name));
}

/** The stamp of what is built; empty when nothing is. */
function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = build({ quiet: process.argv.includes('--quiet') }) ? 0 : 1;
