import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Runs a command to its end.
 *
 * @param {{ env?: NodeJS.ProcessEnv, show?: boolean }} options show: the user sees its output, on standard error
 * @throws Error when it fails or does not exist, with the end of what it printed unless that was shown
 */
export function run(command, args, { env = process.env, show = false } = {}) {
  const stdio = show ? ['ignore', 2, 2] : ['ignore', 'pipe', 'pipe'];
  const { error, status, signal, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    env,
    stdio,
    maxBuffer: 1 << 28,
  });
  if (error) throw new Error(`Could not run ${command}: ${error.message}.`);
  if (status === 0) return;
  const end = signal ? `was ended by ${signal}` : `failed with exit code ${status}`;
  const printed = show ? '.' : `:\n${`${stdout}\n${stderr}`.trim().split('\n').slice(-30).join('\n')}`;
  throw new Error(`${command} ${args.join(' ')} ${end}${printed}`);
}
