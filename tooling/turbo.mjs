// Runs turbo with the pinned pnpm on PATH.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { environmentWithPnpm } from './setup/pnpm.mjs';
import { root } from './setup/shell.mjs';

const env = { ...environmentWithPnpm(), TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };
// Tests run in their package's folder, but the user means a path from where npm was called.
if (env.SECATEUR_GOLDEN) env.SECATEUR_GOLDEN = resolve(env.INIT_CWD ?? process.cwd(), env.SECATEUR_GOLDEN);

const turbo = join(root, 'node_modules/.bin/turbo');
const { status, error } = spawnSync(turbo, process.argv.slice(2), { cwd: root, stdio: 'inherit', env });
if (error) console.error(`Could not run turbo: ${error.message}. Run "npm run setup" first.`);
process.exit(status ?? 1);
