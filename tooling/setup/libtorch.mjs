import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { CHOICES, findLibtorch } from '../../packages/backend-torch/scripts/libtorch.mjs';
import { installByApt } from './apt.mjs';
import { root } from './shell.mjs';

/** Why apt could not bring libtorch, so that the next call need not try in vain. */
const failureFile = join(root, '.cache', 'libtorch-apt-failure.txt');

/**
 * Finds a libtorch: LIBTORCH or TORCH_HOME first, then Debian's. With none of them it is installed by apt where that is
 * allowed, and the user's Python torch serves where it is not.
 */
export function ensureLibtorch(surroundings) {
  const found = findLibtorch();
  if (found && (found.from !== 'Python torch' || existsSync(failureFile))) return describe(found);
  const failure = installByApt(['libtorch-dev'], surroundings);
  const libtorch = findLibtorch();
  if (!libtorch) throw new Error(`${CHOICES}\nTried apt-get, but: ${failure ?? 'what it installed is not complete'}`);
  if (libtorch.from === 'Python torch') remember(failure ?? 'what it installed is not complete');
  return describe(libtorch);
}

function describe({ version, from }) {
  const found = `${version} from ${from}`;
  if (from !== 'Python torch') return found;
  const why = readFileSync(failureFile, 'utf8').trim();
  return `${found}, as apt-get failed (${why}); delete ${relative(root, failureFile)} to try it again`;
}

function remember(failure) {
  mkdirSync(dirname(failureFile), { recursive: true });
  writeFileSync(failureFile, `${failure.split('\n')[0].replace(/[.:]$/, '')}\n`);
}
