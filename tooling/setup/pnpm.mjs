import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root, run } from './shell.mjs';

const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.replace(/^pnpm@/, '');
const folder = join(root, '.cache', `pnpm-${pinned}`);
const bin = join(folder, 'node_modules', '.bin');

/** Gets the pinned pnpm into the workspace's cache folder, unless it is there or on PATH. */
export function ensurePnpm({ announce, show }) {
  if (isOnPath()) return `${pinned} (on PATH)`;
  if (existsSync(join(bin, 'pnpm'))) return pinned;
  announce(`downloading ${pinned}`);
  run('npm', ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `pnpm@${pinned}`], { show });
  return `${pinned} installed`;
}

/** The environment in which `pnpm` is the pinned one. */
export function environmentWithPnpm() {
  return isOnPath() ? process.env : { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
}

function isOnPath() {
  const found = spawnSync('pnpm', ['--version'], { encoding: 'utf8', cwd: root });
  return found.status === 0 && found.stdout.trim() === pinned;
}
