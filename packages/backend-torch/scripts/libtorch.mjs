// Finds a libtorch on this machine: its headers, its libraries and the C++ ABI it was built with.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * @typedef {{ from: string, version: string, includes: string[], libraries: string[], abi: '0' | '1' }} Libtorch
 */

export const CHOICES = `No libtorch found. One of these provides it:
  apt-get install libtorch-dev          (Debian, Ubuntu)
  pip install torch                     (then python3 -c "import torch" must work)
  LIBTORCH=/path/to/libtorch            (the unpacked C++ archive from pytorch.org; TORCH_HOME works too)
Then run: npx tfjs-backend-torch build`;

/** @returns {Libtorch | undefined} the one that the environment names, else the newer one of Debian's package and the user's Python */
export function findLibtorch(env = process.env) {
  for (const name of ['LIBTORCH', 'TORCH_HOME']) {
    const root = env[name];
    if (!root) continue;
    const found = fromFolder(name, resolve(root));
    if (!found) throw new Error(`${name} is ${root}, but there is no include/ATen/ATen.h with lib/libtorch_cpu in it.`);
    return found;
  }
  const [debian, python] = [fromDebian(), fromPython()];
  return debian && python ? (isNewer(python, debian) ? python : debian) : (debian ?? python);
}

function fromFolder(from, root) {
  const libraries = ['lib', 'lib64'].map((name) => join(root, name)).filter(hasLibrary);
  const includes = includesOf(join(root, 'include'));
  return includes && libraries.length > 0
    ? { from: `${from}=${root}`, ...includes, libraries, abi: abiOf(root) }
    : undefined;
}

function fromDebian() {
  const includes = includesOf('/usr/include');
  const libraries = existsSync('/usr/lib')
    ? ['/usr/lib', ...readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`)].filter(hasLibrary)
    : [];
  return includes && libraries.length > 0
    ? { from: 'the libtorch-dev package', ...includes, libraries: libraries.slice(0, 1), abi: '1' }
    : undefined;
}

/** The one that `python3` would import, found without importing it. */
function fromPython() {
  const code = "from importlib.util import find_spec; print(find_spec('torch').submodule_search_locations[0])";
  const python = spawnSync('python3', ['-c', code], { encoding: 'utf8' });
  return python.status === 0 ? fromFolder('Python torch', python.stdout.trim()) : undefined;
}

function isNewer(a, b) {
  return a.version.localeCompare(b.version, 'en', { numeric: true }) > 0;
}

function includesOf(include) {
  const api = join(include, 'torch/csrc/api/include');
  const header = join(api, 'torch/version.h');
  if (!existsSync(join(include, 'ATen/ATen.h')) || !existsSync(header)) return undefined;
  // In recent versions version.h only includes another file.
  const versionHeader = [join(include, 'torch/headeronly/version.h'), header].find(existsSync);
  return { includes: [include, api], version: versionOf(versionHeader) };
}

function versionOf(header) {
  const text = readFileSync(header, 'utf8');
  return (
    /TORCH_VERSION\s+\\?\s*"([^"]+)"/.exec(text)?.[1] ??
    ['MAJOR', 'MINOR', 'PATCH']
      .map((part) => new RegExp(`TORCH_VERSION_${part}\\s+(\\d+)`).exec(text)?.[1] ?? '?')
      .join('.')
  );
}

function hasLibrary(folder) {
  return ['libtorch_cpu.so', 'libtorch_cpu.dylib'].some((name) => existsSync(join(folder, name)));
}

/** The archive of pytorch.org comes in two ABIs and says which in its CMake file. */
function abiOf(root) {
  const config = join(root, 'share/cmake/Torch/TorchConfig.cmake');
  if (!existsSync(config)) return '1';
  return /_GLIBCXX_USE_CXX11_ABI=0/.test(readFileSync(config, 'utf8')) ? '0' : '1';
}
