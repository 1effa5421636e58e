import { spawnSync } from 'node:child_process';
import { run } from './shell.mjs';

/** Installs Debian packages; returns why it could not be done, or undefined. */
export function installByApt(names, { announce, show }) {
  if (spawnSync('apt-get', ['--version']).status !== 0) return 'there is no apt-get on this machine';
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync('sudo', ['-n', 'true']).status !== 0) return 'installing packages needs root';
  // sudo drops the environment of its caller, so env sets it behind sudo.
  const [command, ...before] = [...(isRoot ? [] : ['sudo', '-n']), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  announce(`installing ${names.join(' and ')} by apt-get, a minute or two`);
  try {
    run(command, [...before, 'update', '-q'], { show });
    run(command, [...before, 'install', '-y', '-q', '--no-install-recommends', ...names], { show });
    return undefined;
  } catch (error) {
    return error.message;
  }
}
