import { spawnSync } from 'node:child_process';
import { CHOICES, findLibtorch } from '../../packages/backend-torch/scripts/libtorch.mjs';
import { run } from './shell.mjs';

/**
 * Finds a libtorch: LIBTORCH or TORCH_HOME first, then Debian's. With none of them it is installed by apt where that is
 * allowed, and the user's Python torch serves where it is not.
 */
export function ensureLibtorch() {
  const found = findLibtorch();
  if (found && found.from !== 'Python torch') return describe(found);
  const failure = installByApt();
  const libtorch = findLibtorch();
  if (!libtorch) throw new Error(failure ? `${CHOICES}\nTried apt-get, but: ${failure}` : CHOICES);
  return describe(libtorch);
}

function describe({ version, from }) {
  return `${version} from ${from}`;
}

/** Returns why it could not be done, or undefined. */
function installByApt() {
  if (spawnSync('apt-get', ['--version']).status !== 0) return 'there is no apt-get on this machine';
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync('sudo', ['-n', 'true']).status !== 0) return 'installing packages needs root';
  const apt = (args) => (isRoot ? run('apt-get', args, { env }) : run('sudo', ['-n', 'apt-get', ...args], { env }));
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    console.error('Installing libtorch-dev by apt-get; this takes a minute or two ...');
    apt(['update', '-q']);
    apt(['install', '-y', '-q', '--no-install-recommends', 'libtorch-dev']);
    return undefined;
  } catch (error) {
    return error.message;
  }
}
