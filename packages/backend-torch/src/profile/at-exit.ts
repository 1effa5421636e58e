import { startProfile } from './profiler.ts';
import { formatProfile } from './table.ts';

/**
 * SECATEUR_PROFILE=1 profiles the whole program and prints the table to standard error when it ends; =shapes gives each
 * combination of input shapes a row of its own.
 *
 * @throws Error for any other value but 0 and none
 */
export function profileFromEnvironment(environment: NodeJS.ProcessEnv = process.env): void {
  const wanted = environment.SECATEUR_PROFILE;
  if (!wanted || wanted === '0') return;
  if (wanted !== '1' && wanted !== 'shapes') {
    throw new Error(`Expected SECATEUR_PROFILE to be 1, shapes or 0, but got '${wanted}'.`);
  }
  const profile = startProfile({ byShape: wanted === 'shapes' });
  process.on('exit', () => console.error(formatProfile(profile.rows())));
}
