import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Runs a command and returns its standard output.
 * @throws Error with the end of what it printed when it fails or does not exist
 */
export function run(command, args, { env = process.env } = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', env, maxBuffer: 1 << 28 });
  if (result.error) throw new Error(`Could not run ${command}: ${result.error.message}.`);
  if (result.status !== 0) {
    const printed = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-30).join('\n');
    throw new Error(`${command} ${args.join(' ')} failed with exit code ${result.status}:\n${printed}`);
  }
  return result.stdout;
}

/** Runs a command whose output the user sees, on standard error. */
export function runShown(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.error) throw new Error(`Could not run ${command}: ${result.error.message}.`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed with exit code ${result.status}.`);
}
